// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer_builder.hpp"

#include <cerrno>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/copy_file.hpp"
#include "base/error.hpp"
#include "ondisk/marks.hpp"

namespace shale {

namespace {

const std::string unsafe = "the image is unsafe or broken: get it from a source you trust";

} // namespace

LayerBuilder::LayerBuilder(int root, const LowerLayers& lower, Omissions& omissions,
                           Progress& progress)
    : root_(root), lower_(lower), omissions_(omissions), progress_(progress), writer_(omissions),
      directories_(root, lower, writer_) {}

void LayerBuilder::add(const oci::TarEntry& entry, oci::TarReader& content) {
    if (progress_.cancelled())
        throw Cancelled(entry.thing);
    switch (entry.name.kind) {
    case oci::NameKind::ignored:
        return;
    case oci::NameKind::opaque:
        return directories_.make_opaque(entry.name.parent, entry.thing);
    case oci::NameKind::whiteout:
        return add_whiteout(entry);
    case oci::NameKind::object:
        return add_object(entry, content);
    }
}

void LayerBuilder::add_whiteout(const oci::TarEntry& entry) {
    if (!directories_.hide(entry.name.path(), entry.thing))
        return;
    const int parent = directories_.open(entry.name.parent, entry.thing);
    if (mknodat(parent, entry.name.name.c_str(), S_IFCHR, makedev(0, 0)) != 0)
        throw Error::from_errno(entry.thing, errno, errno == EPERM ? "run as root" : "");
}

void LayerBuilder::add_object(const oci::TarEntry& entry, oci::TarReader& content) {
    if (entry.hard_link)
        return add_hard_link(entry);
    if (S_ISDIR(entry.mode))
        return directories_.put(entry.name.path(), Attributes::of(entry), entry.thing);
    if (entry.name.is_root())
        throw Error(entry.thing, "the root of a layer must be a directory", unsafe);
    if (S_ISREG(entry.mode))
        return add_file(entry, content);
    if (S_ISLNK(entry.mode))
        return add_symlink(entry);
    add_node(entry);
}

/// Runs @p create(parent descriptor, name), which makes an object and returns 0 or sets errno; once
/// more with the name cleared if something earlier had it.
template <typename Create> void LayerBuilder::create(const oci::TarEntry& entry, Create create) {
    const char* name = entry.name.name.c_str();
    if (create(directories_.open(entry.name.parent, entry.thing), name) == 0)
        return;
    if (errno == EEXIST) {
        directories_.clear(entry.name.path(), entry.thing);
        if (create(directories_.open(entry.name.parent, entry.thing), name) == 0)
            return;
    }
    throw Error::from_errno(entry.thing, errno, errno == EPERM ? "run as root" : "");
}

UniqueFd LayerBuilder::create_file(const oci::TarEntry& entry, mode_t mode) {
    UniqueFd fd;
    create(entry, [&](int parent, const char* name) {
        fd.reset(openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
        return fd ? 0 : -1;
    });
    return fd;
}

void LayerBuilder::add_file(const oci::TarEntry& entry, oci::TarReader& content) {
    const mode_t mode = entry.mode & 0777;
    const UniqueFd fd = create_file(entry, mode);
    uint64_t end = 0;
    bool in_order = true;
    oci::TarReader::Piece piece;
    while (content.next_piece(piece)) {
        if (progress_.cancelled())
            throw Cancelled(entry.thing);
        in_order &= piece.offset >= end;
        write_all_at(fd.get(), piece.bytes.data(), piece.bytes.size(), piece.offset, entry.thing);
        content_digest_.add(piece.offset, reinterpret_cast<const char*>(piece.bytes.data()), piece.bytes.size());
        end = piece.offset + piece.bytes.size();
    }
    // A hole at the end has no piece behind it.
    if (end < entry.size && ftruncate(fd.get(), static_cast<off_t>(entry.size)) != 0)
        throw Error::from_errno(entry.thing, errno);
    // A number that a file had which was replaced may come again.
    const ino_t number = stat_of(fd.get(), entry.thing).st_ino;
    const std::string digest = content_digest_.finish(std::max(end, entry.size));
    if (in_order)
        contents_[number] = digest;
    else
        contents_.erase(number);
    writer_.apply(fd.get(), mode, Attributes::of(entry), entry.thing);
}

void LayerBuilder::create_node(const oci::TarEntry& entry, mode_t mode, dev_t device) {
    create(entry,
           [&](int parent, const char* name) { return mknodat(parent, name, mode, device); });
}

void LayerBuilder::add_node(const oci::TarEntry& entry) {
    // In a layer this is a whiteout. No union can show it as a device, and whoever packed it did
    // not speak OCI's language for hiding, so it neither appears nor hides.
    if (ondisk::is_whiteout_device(entry.mode, entry.device)) {
        omissions_.note(Omissions::Kind::whiteout_device,
                        entry.thing + ": left out, as a character device 0:0 means a whiteout");
        return;
    }
    create_node(entry, entry.mode, entry.device);
    writer_.apply_at(directories_.open(entry.name.parent, entry.thing), entry.name.name, entry.mode,
                     Attributes::of(entry), entry.thing);
}

void LayerBuilder::create_symlink(const oci::TarEntry& entry, const std::string& link) {
    create(entry,
           [&](int parent, const char* name) { return symlinkat(link.c_str(), parent, name); });
}

void LayerBuilder::add_symlink(const oci::TarEntry& entry) {
    create_symlink(entry, entry.link);
    writer_.apply_at(directories_.open(entry.name.parent, entry.thing), entry.name.name, S_IFLNK,
                     Attributes::of(entry), entry.thing);
}

void LayerBuilder::add_hard_link(const oci::TarEntry& entry) {
    const std::string thing = entry.thing + ": hard link to '" + entry.link + "'";
    const oci::LayerName target = oci::LayerName::parse(entry.link, thing);
    if (target.kind != oci::NameKind::object || target.is_root() || entry.name.is_root())
        throw Error(thing, "not something that can be linked", unsafe);
    if (link_in_layer(entry, target))
        return;
    const auto copied = copied_.find(target.path());
    if (copied != copied_.end() && link_in_layer(entry, copied->second))
        return;
    copy_from_below(entry, target);
    copied_[target.path()] = entry.name;
}

/// False where this layer does not have @p target.
bool LayerBuilder::link_in_layer(const oci::TarEntry& entry, const oci::LayerName& target) {
    const UniqueFd parent = try_open_beneath(root_, target.parent, O_PATH | O_DIRECTORY);
    if (!parent && errno == ELOOP)
        throw Error(entry.thing, "hard link to '" + entry.link + "' goes through a symbolic link",
                    unsafe);
    if (!parent)
        return false;
    const std::optional<struct stat> st = stat_at(parent.get(), target.name);
    if (!st || ondisk::is_whiteout_device(st->st_mode, st->st_rdev))
        return false;
    if (S_ISDIR(st->st_mode))
        throw Error(entry.thing, "hard link to the directory '" + entry.link + "'", unsafe);
    if (target.path() != entry.name.path())
        create(entry, [&](int dir, const char* name) {
            return linkat(parent.get(), target.name.c_str(), dir, name, 0);
        });
    return true;
}

/// A link to a file of a lower layer: there are no links between layers, so this one gets a copy,
/// which is what copy-up would make of it.
void LayerBuilder::copy_from_below(const oci::TarEntry& entry, const oci::LayerName& target) {
    const std::optional<LowerLayers::Found> found = lower_.find(target.path());
    if (!found || S_ISDIR(found->st.st_mode))
        throw Error(entry.thing,
                    "hard link to '" + entry.link +
                        "', a file neither in this layer before it nor below",
                    "the image is broken: build it again");
    const Attributes attributes = Attributes::of(found->parent.get(), found->name);
    if (S_ISREG(found->st.st_mode)) {
        const UniqueFd from = open_at(found->parent.get(), found->name, O_RDONLY | O_NOFOLLOW);
        const UniqueFd to = create_file(entry, attributes.mode & 0777);
        copy_file(from.get(), to.get(), static_cast<uint64_t>(found->st.st_size), entry.thing);
        contents_.erase(stat_of(to.get(), entry.thing).st_ino);
        writer_.apply(to.get(), attributes.mode & 0777, attributes, entry.thing);
        return;
    }
    if (S_ISLNK(found->st.st_mode)) {
        create_symlink(entry, read_link_at(found->parent.get(), found->name));
    } else {
        create_node(entry, found->st.st_mode, found->st.st_rdev);
    }
    writer_.apply_at(directories_.open(entry.name.parent, entry.thing), entry.name.name,
                     found->st.st_mode, attributes, entry.thing);
}

} // namespace shale
