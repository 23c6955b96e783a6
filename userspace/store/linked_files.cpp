// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/linked_files.hpp"

#include <algorithm>
#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "store/upper_copy.hpp"
#include "tree/attributes.hpp"
#include "tree/union.hpp"

namespace shale {

LinkedFiles::LinkedFiles(const std::vector<ListedLayer>& layers, Dedup& dedup, Progress& progress)
    : layers_(layers), dedup_(dedup), progress_(progress), open_(open_all(layers)),
      any_(tree::open_layers({layers.front().path})) {}

void LinkedFiles::exclude(size_t index) {
    open_[index].reset();
    twins_.erase(index);
    for (auto& [layer, twins] : twins_)
        std::erase_if(twins, [&](const auto& twin) { return twin.second.kept.layer == index; });
    std::erase_if(twins_, [](const auto& layer) { return layer.second.empty(); });
}

bool LinkedFiles::is_still_there(size_t index) const {
    const auto now = stat_at(AT_FDCWD, layers_[index].path);
    return now && open_[index] && tree::identity_of(*now) == tree::identity_of(stat_of(open_[index].get(), layers_[index].path));
}

const std::string& LinkedFiles::path_of(const FileIndex& file) const {
    return layers_[file.layer].files[file.file].object.path;
}

std::optional<tree::Object> LinkedFiles::find(const FileIndex& file) const {
    return find_file(open_[file.layer].get(), path_of(file));
}

void LinkedFiles::compare(bool only_look) {
    for (const auto& [key, group] : equal_files(layers_)) {
        if (progress_.cancelled())
            throw Cancelled("layers");
        compare_group(group, only_look);
    }
}

void LinkedFiles::compare_group(const std::vector<FileIndex>& group, bool only_look) {
    struct Member {
        FileIndex index;
        tree::Object object;
    };
    std::vector<Member> members;
    for (const FileIndex& index : group) {
        if (!open_[index.layer])
            continue;
        if (auto object = find(index))
            members.push_back({index, *std::move(object)});
        else
            dedup_.different++;
    }
    if (members.size() < 2)
        return;
    // The one that most layers have already stays.
    const Member& kept = *std::max_element(members.begin(), members.end(), [](const Member& a, const Member& b) {
        return a.object.st.st_nlink < b.object.st.st_nlink;
    });
    for (const Member& twin : members) {
        if (&twin == &kept)
            continue;
        const uint64_t bytes = 512 * static_cast<uint64_t>(twin.object.st.st_blocks);
        if (tree::identity_of(twin.object.st) == tree::identity_of(kept.object.st)) {
            dedup_.linked_before.files++;
            dedup_.linked_before.bytes += bytes;
        } else if (only_look || look_alike(kept.object, twin.object)) {
            const bool is_new = counted_.insert(tree::identity_of(twin.object.st)).second;
            twins_[twin.index.layer][path_of(twin.index)] = {kept.index, is_new ? bytes : 0};
        } else {
            dedup_.different++;
        }
    }
}

bool LinkedFiles::look_alike(const tree::Object& kept, const tree::Object& twin) const {
    progress_.advance(static_cast<uint64_t>(kept.st.st_size + twin.st.st_size));
    return tree::look_alike(any_, kept, any_, twin);
}

std::vector<size_t> LinkedFiles::layers() const {
    std::vector<size_t> indices;
    for (const auto& [index, twins] : twins_)
        indices.push_back(index);
    return indices;
}

bool LinkedFiles::make(size_t index, int staging) {
    const ListedLayer& layer = layers_[index];
    Twins& twins = twins_.at(index);
    const std::string name = layer.chain_id.hex();
    const auto ask = [&] {
        if (progress_.cancelled())
            throw Cancelled(layer.path);
    };
    UpperCopy copy(staging, ask, [&](int from, int to, const std::string& file, const std::string& path) {
        if (!link_twin(twins, path.substr(name.size() + 1), to, file))
            link_at(from, file, to, file);
    });
    try {
        copy.add(open_at(AT_FDCWD, layer.path, O_RDONLY | O_DIRECTORY).get(), name, layer.path);
    } catch (const Error& error) {
        if (error.code() != EMLINK)
            throw;
        return false;
    }
    return true;
}

/// False where @p path stays the layer's own file.
bool LinkedFiles::link_twin(Twins& twins, const std::string& path, int to, const std::string& name) const {
    const auto twin = twins.find(path);
    if (twin == twins.end())
        return false;
    const auto kept = find(twin->second.kept);
    if (!kept)
        throw Error(layers_[twin->second.kept.layer].path + "/" + path, "has just vanished");
    const tree::Place& place = kept->place;
    if (linkat(place.parent->get(), place.name.c_str(), to, name.c_str(), 0) == 0)
        return true;
    if (errno == EMLINK) { // then there are two files, of which each is that of many layers
        twins.erase(twin);
        return false;
    }
    throw Error::from_errno(layers_[twin->second.kept.layer].path + "/" + path, errno);
}

void LinkedFiles::made(size_t index) {
    for (const auto& [path, twin] : twins_.at(index)) {
        dedup_.linked.files++;
        dedup_.linked.bytes += twin.bytes;
    }
}

} // namespace shale
