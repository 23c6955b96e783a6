// SPDX-License-Identifier: GPL-2.0-or-later
#include <cerrno>
#include <iostream>
#include <memory>

#include <fcntl.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "commands/globals.hpp"
#include "commands/layers.hpp"
#include "commands/table.hpp"
#include "commands/target.hpp"
#include "netlink/client.hpp"
#include "netlink/refused.hpp"
#include "tree/trace.hpp"

namespace shale {

namespace {

constexpr const char* description =
    "Tell which layer each path comes from, and why.\n\n"
    "The kernel says where the object lies. What other layers have of that name, and what hides it,\n"
    "is read from the layers, if they can be reached from here. For a name that does not exist, it\n"
    "tells what hides it: a whiteout, or an opaque directory. A symbolic link is not followed.\n\n"
    "\"lower 1\" is the top-most of the lower layers. With --json they are counted from 0.";

constexpr const char* examples =
    "Examples:\n"
    "  shale which /mnt/etc/hosts              one file\n"
    "  shale which /mnt/etc/*                  all in a directory\n"
    "  shale which --json /mnt/bin/sh | jq '.[].layers'";

/// What is known of one path.
struct Answer {
    std::string path;
    netlink::MountRecord mount;
    std::optional<netlink::ObjectRecord> object; ///< nothing: there is no such name
    std::string inside;                          ///< the path from the root of the mount
    std::optional<tree::Trace> trace;
    std::string unread; ///< why there is no trace
};

netlink::ObjectRecord query(netlink::Client& client, int fd, const std::string& path) {
    try {
        return client.query(fd);
    } catch (const netlink::Refused& refused) {
        if (refused.error() == EPERM)
            throw Error(path, refused.what(), "only root may ask: run it with sudo");
        throw Error(path, refused.what(), "\"shale mounts\" lists what is mounted where");
    }
}

/// The directory that @p path lies in, and its name there.
std::pair<std::string, std::string> split(std::string path) {
    while (path.size() > 1 && path.back() == '/')
        path.pop_back();
    const auto slash = path.rfind('/');
    if (slash == std::string::npos)
        return {".", path};
    return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

class Inquiry {
public:
    Inquiry() : client_(netlink::Client::open()), mounts_(client_.mounts()) {}

    Answer ask(const std::string& path) {
        Answer answer;
        answer.path = path;
        UniqueFd fd(open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        // A name that is not there is looked for below the closest directory that is.
        std::string missing;
        for (std::string above = path; !fd && errno == ENOENT && above != "." && above != "/";) {
            const auto [parent, name] = split(above);
            missing = "/" + name + missing;
            above = parent;
            fd.reset(open(above.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        }
        if (!fd)
            throw Error::from_errno(path, errno, errno == ENOENT ? "check the path" : "");

        auto object = query(client_, fd.get(), path);
        answer.mount = mount_of(object.mount, path);
        if (object.path)
            answer.inside = (*object.path == "/" ? "" : *object.path) + missing;
        if (missing.empty())
            answer.object = std::move(object);
        look_into_layers(answer);
        return answer;
    }

private:
    const netlink::MountRecord& mount_of(uint64_t id, const std::string& path) const {
        for (const auto& mount : mounts_) {
            if (mount.id == id)
                return mount;
        }
        throw Error(path, "its mount ended meanwhile", "\"shale mounts\" lists what is mounted");
    }

    void look_into_layers(Answer& answer) {
        if (answer.inside.empty() && answer.object && !answer.object->path) {
            answer.unread = "it has no name any more";
            return;
        }
        try {
            answer.trace = tree::trace(layers_of(answer.mount), answer.inside,
                                       answer.mount.data_lowers);
        } catch (const Error& error) {
            answer.unread = error.what();
        }
    }

    /// Opened once for all paths in the same mount.
    const tree::Union& layers_of(const netlink::MountRecord& mount) {
        if (!layers_ || opened_ != mount.id) {
            layers_.emplace(open_layers(mount));
            opened_ = mount.id;
        }
        return *layers_;
    }

    netlink::Client client_;
    std::vector<netlink::MountRecord> mounts_;
    std::optional<tree::Union> layers_;
    uint64_t opened_ = 0;
};

/// Whether the object in the upper was made from one in a lower layer.
bool is_copied_up(const Answer& answer) {
    const auto& parts = answer.object->parts;
    if (parts.empty() || parts.front().lower || !answer.mount.upper)
        return false;
    if (parts.size() > 1)
        return true;
    return answer.trace && !answer.trace->sightings.empty() &&
           answer.trace->sightings.front().layer == 0 && answer.trace->sightings.front().origin;
}

std::string cause_text(const Answer& answer, const tree::Hider& hider) {
    const std::string where = layer_name(answer.mount, hider.layer);
    const std::string path = "/" + hider.path;
    const bool above = path != answer.inside;
    switch (hider.how) {
    case tree::HiddenBy::object:
        return "the one in " + where;
    case tree::HiddenBy::whiteout:
        return "the whiteout in " + where + (above ? " of " + path : "");
    case tree::HiddenBy::opaque:
        return "the opaque directory " + path + " in " + where;
    case tree::HiddenBy::no_merger:
        return path + " in " + where + ", which is no directory";
    }
    return "?";
}

const char* type_text(mode_t mode) {
    switch (mode & S_IFMT) {
    case S_IFDIR:
        return "directory";
    case S_IFLNK:
        return "symbolic link";
    case S_IFREG:
        return "file";
    case S_IFCHR:
    case S_IFBLK:
        return "device";
    case S_IFIFO:
        return "fifo";
    default:
        return "socket";
    }
}

/// What the kernel says about the part in layer @p index; nothing, if it has none there.
const netlink::ObjectPart* part_in(const Answer& answer, std::size_t index) {
    if (!answer.object)
        return nullptr;
    for (const auto& part : answer.object->parts) {
        if (layer_index(answer.mount, part.lower) == index)
            return &part;
    }
    return nullptr;
}

std::string sighting_text(const Answer& answer, const tree::Sighting& sighting) {
    if (sighting.whiteout)
        return "whiteout";
    std::string text = type_text(sighting.st.st_mode);
    if (sighting.opaque)
        text += ", opaque";
    if (sighting.metacopy)
        text += ", without data";
    if (sighting.redirect)
        text += ", redirected to " + *sighting.redirect;
    if (sighting.hider)
        return text + ", hidden by " + cause_text(answer, *sighting.hider);
    const auto* const part = part_in(answer, sighting.layer);
    if (part && part->data && answer.object->parts.size() > 1)
        text += ", has the data";
    return text;
}

std::string summary(const Answer& answer) {
    if (!answer.object) {
        if (answer.trace && answer.trace->hider && !answer.trace->sightings.empty())
            return "hidden by " + cause_text(answer, *answer.trace->hider);
        if (answer.trace)
            return "in no layer";
        return "does not exist";
    }
    const auto& object = *answer.object;
    std::string text = object.parts.empty()
                           ? "in no layer"
                           : layer_name(answer.mount, layer_index(answer.mount, object.parts[0].lower));
    if (is_copied_up(answer))
        text += object.metacopy ? ", copied up without its data" : ", copied up";
    if (object.opaque)
        text += ", opaque";
    if (object.whiteout_needed)
        text += "; removing it will leave a whiteout";
    return text;
}

void print(const Answer& answer) {
    std::cout << printable(answer.path) << ": " << printable(summary(answer)) << "\n";
    if (answer.trace) {
        for (const auto& sighting : answer.trace->sightings) {
            const auto root = layer_path(answer.mount, sighting.layer);
            std::cout << "  " << layer_name(answer.mount, sighting.layer) << "  "
                      << printable(sighting.path.empty() ? root : root + "/" + sighting.path) << "  "
                      << printable(sighting_text(answer, sighting)) << "\n";
        }
        return;
    }
    if (answer.object) {
        for (const auto& part : answer.object->parts) {
            const auto index = layer_index(answer.mount, part.lower);
            std::cout << "  " << layer_name(answer.mount, index) << "  "
                      << printable(path_text(layer_path(answer.mount, index))) << (part.data ? "  has the data" : "")
                      << "\n";
        }
    }
    std::cout << "  other layers cannot be looked at: " << printable(answer.unread) << "\n";
}

nlohmann::json lower_json(const netlink::MountRecord& mount, std::size_t index) {
    if (mount.upper && index == 0)
        return nullptr;
    return index - (mount.upper ? 1 : 0);
}

nlohmann::json hider_json(const Answer& answer, const std::optional<tree::Hider>& hider) {
    if (!hider)
        return nullptr;
    constexpr const char* names[] = {"object", "whiteout", "opaque", "no-directory"};
    return {{"upper", answer.mount.upper && hider->layer == 0},
            {"lower", lower_json(answer.mount, hider->layer)},
            {"path", "/" + hider->path},
            {"by", names[static_cast<std::size_t>(hider->how)]}};
}

nlohmann::json document(const Answer& answer) {
    nlohmann::json entry = {{"path", answer.path},
                            {"mount", answer.mount.id},
                            {"path_in_mount", answer.inside.empty() ? "/" : answer.inside},
                            {"exists", answer.object.has_value()}};
    if (answer.object) {
        const auto& object = *answer.object;
        auto parts = nlohmann::json::array();
        for (const auto& part : object.parts)
            parts.push_back(
                {{"upper", !part.lower}, {"lower", json_or_null(part.lower)}, {"data", part.data}});
        entry["ino"] = object.ino;
        entry["parts"] = parts;
        entry["copied_up"] = is_copied_up(answer);
        entry["metacopy"] = object.metacopy;
        entry["opaque"] = object.opaque;
        entry["whiteout_needed"] = object.whiteout_needed;
    }
    if (answer.trace) {
        entry["hidden_by"] =
            answer.object || answer.trace->sightings.empty()
                ? nlohmann::json()
                : hider_json(answer, answer.trace->hider);
        entry["layers"] = nlohmann::json::array();
        for (const auto& sighting : answer.trace->sightings)
            entry["layers"].push_back({{"upper", answer.mount.upper && sighting.layer == 0},
                                       {"lower", lower_json(answer.mount, sighting.layer)},
                                       {"path", "/" + sighting.path},
                                       {"whiteout", sighting.whiteout},
                                       {"opaque", sighting.opaque},
                                       {"metacopy", sighting.metacopy},
                                       {"redirect", json_or_null(sighting.redirect)},
                                       {"hidden_by", hider_json(answer, sighting.hider)}});
    } else {
        entry["unread"] = answer.unread;
    }
    return entry;
}

/// A path that can't be told of does not keep the others from being.
void run(const std::vector<std::string>& paths, const Globals& globals) {
    Inquiry inquiry;
    auto list = nlohmann::json::array();
    std::optional<Error> failure;
    for (const std::string& path : paths) {
        try {
            const Answer answer = inquiry.ask(path);
            if (globals.json)
                list.push_back(document(answer));
            else
                print(answer);
        } catch (const Error& error) {
            if (failure)
                std::cerr << "shale: " << failure->what() << "\n";
            failure = error;
        }
    }
    if (globals.json)
        print_json(list);
    if (failure)
        throw *std::move(failure);
}

} // namespace

void add_which_command(CLI::App& app, Globals& globals) {
    auto paths = std::make_shared<std::vector<std::string>>();
    CLI::App* command = app.add_subcommand("which", description);
    command->add_option("paths", *paths, "Paths in a mount; they need not exist")
        ->type_name("PATH...")
        ->required();
    add_json_flag(*command, globals);
    command->footer(examples);
    command->callback([paths, &globals] { run(*paths, globals); });
}

} // namespace shale
