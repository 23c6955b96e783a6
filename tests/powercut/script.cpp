// SPDX-License-Identifier: GPL-2.0-or-later
//
// The plan_*() decide on what a program would do, which is some operations in a row; each is completed and made in the
// tree when its turn comes.
#include "script.hpp"

#include <algorithm>

#include "layers.hpp"

namespace shale::powercut {

namespace {

/// More and the tree grows for ever, fewer and there is nothing left to do.
constexpr size_t enough_files = 40, few_files = 15;
constexpr unsigned operations_in_a_room = 150;
constexpr unsigned most_blocks = 120;
constexpr unsigned modes[] = {0600, 0640, 0644, 0660, 0700, 0711, 0755, 0444};

} // namespace

Script::Script(unsigned seed, unsigned hand, bool linked)
    : tree_(tree_of(hand, linked)), dice_(seed * nr_hands + hand), hand_(hand),
      next_file_((hand + 1) * 100000000) {}

Operation Script::next() {
    while (planned_.empty()) {
        room_ = room_of(hand_, nr_done_ / operations_in_a_room % nr_rooms);
        plan();
    }
    ++nr_done_;
    Operation operation = planned_.front();
    planned_.pop_front();
    apply(operation);
    return operation;
}

// --- What is there ---------------------------------------------------------------------------------------------------

std::vector<std::string> Script::files() const {
    std::vector<std::string> files;
    for (const Tree::Entry& entry : tree_.entries(room_))
        if (!entry.object->is_directory)
            files.push_back(entry.path);
    return files;
}

std::vector<std::string> Script::directories() const {
    std::vector<std::string> directories{room_};
    for (const Tree::Entry& entry : tree_.entries(room_))
        if (entry.object->is_directory)
            directories.push_back(entry.path);
    return directories;
}

std::string Script::some_file() {
    return dice_.one_of(files());
}

/// Now and then one that was there before, so that a whiteout is met.
std::string Script::new_name() {
    static const char* const old_names[] = {"f0", "f1", "f2", "f3", "d0", "d1", "d2"};
    const std::string directory = dice_.one_of(directories());
    const std::string old = directory + "/" + dice_.one_of(old_names);
    if (dice_.chance(50) && !tree_.has(old))
        return old;
    return directory + "/n" + std::to_string(next_name_++);
}

// --- What a program would do -----------------------------------------------------------------------------------------

void Script::plan() {
    using Plan = void (Script::*)();
    static const Plan plans[] = {
        &Script::plan_overwrite, &Script::plan_overwrite, &Script::plan_overwrite, &Script::plan_append,
        &Script::plan_append, &Script::plan_rewrite, &Script::plan_chmod, &Script::plan_chmod,
        &Script::plan_create, &Script::plan_create, &Script::plan_replace, &Script::plan_replace,
        &Script::plan_rename_file, &Script::plan_rename_file, &Script::plan_rename_directory, &Script::plan_exchange,
        &Script::plan_link, &Script::plan_unlink, &Script::plan_directory, &Script::plan_removal,
        &Script::plan_hold,
    };
    const size_t count = files().size();
    if (count < few_files)
        plan_create();
    else if (count > enough_files)
        plan_unlink();
    else
        (this->*dice_.one_of(plans))();
    if (dice_.chance(2))
        add({.kind = Kind::syncfs});
}

void Script::maybe_sync(const std::string& path, unsigned percent) {
    if (!dice_.chance(percent))
        return;
    add({.kind = dice_.chance(30) ? Kind::fdatasync : Kind::fsync,
         .path = path,
         .held = dice_.chance(50),
         .for_reading = dice_.chance(50)});
}

void Script::maybe_sync_directory(const std::string& path, unsigned percent) {
    if (dice_.chance(percent))
        add({.kind = Kind::fsync_directory, .path = path});
}

void Script::plan_overwrite() {
    const std::string path = some_file();
    add({.kind = Kind::write, .path = path, .count = tree_.at(path)->blocks, .synchronous = dice_.chance(20)});
    maybe_sync(path, 60);
}

void Script::plan_append() {
    const std::string path = some_file();
    const unsigned blocks = tree_.at(path)->blocks;
    if (blocks > most_blocks)
        return;
    add({.kind = Kind::write, .path = path, .first = blocks, .count = 1 + dice_.pick(3)});
    maybe_sync(path, 60);
}

void Script::plan_rewrite() {
    const std::string path = some_file();
    add({.kind = Kind::truncate, .path = path});
    add({.kind = Kind::write, .path = path, .count = 1 + dice_.pick(12)});
    maybe_sync(path, 80);
}

void Script::plan_chmod() {
    const bool directory = dice_.chance(20);
    const std::string path = directory ? dice_.one_of(directories()) : some_file();
    add({.kind = Kind::chmod, .path = path, .mode = dice_.one_of(modes)});
    if (directory)
        maybe_sync_directory(path, 40);
    else
        maybe_sync(path, 50);
}

void Script::plan_create() {
    const std::string path = new_name();
    add({.kind = Kind::create, .path = path, .mode = 0644});
    add({.kind = Kind::write, .path = path, .count = 1 + dice_.pick(8)});
    maybe_sync(path, 70);
}

/// As an editor saves: whoever looks sees the old file or the new one, also after a power cut.
void Script::plan_replace() {
    const std::string path = some_file(), draft = room_ + "/draft" + std::to_string(next_name_++);
    add({.kind = Kind::create, .path = draft, .mode = 0644});
    add({.kind = Kind::write, .path = draft, .count = 1 + dice_.pick(8)});
    add({.kind = Kind::fsync, .path = draft});
    add({.kind = Kind::rename, .path = draft, .to = path});
    maybe_sync_directory(parent_of(path), 50);
}

void Script::plan_rename_file() {
    const std::string path = some_file(), to = dice_.chance(30) ? some_file() : new_name();
    if (tree_.has(to) && tree_.at(path) == tree_.at(to))
        return;
    add({.kind = Kind::rename, .path = path, .to = to});
    maybe_sync(to, 40);
    maybe_sync_directory(parent_of(to), 30);
}

/// One that is merged is renamed by a redirect.
void Script::plan_rename_directory() {
    const std::string path = dice_.one_of(directories()), to = new_name();
    if (path == room_ || path == room_ + "/" + linked_name || is_within(to, path))
        return;
    add({.kind = Kind::rename, .path = path, .to = to});
    maybe_sync_directory(to, 40);
    maybe_sync_directory(parent_of(to), 30);
}

void Script::plan_exchange() {
    const std::string path = some_file(), to = some_file();
    if (tree_.at(path) == tree_.at(to))
        return;
    add({.kind = Kind::exchange, .path = path, .to = to});
    maybe_sync(to, 40);
}

void Script::plan_link() {
    const std::string path = some_file(), to = new_name();
    add({.kind = Kind::link, .path = path, .to = to});
    maybe_sync(dice_.chance(50) ? path : to, 50);
}

void Script::plan_unlink() {
    const std::string path = some_file();
    add({.kind = Kind::unlink, .path = path});
    maybe_sync_directory(parent_of(path), 40);
}

void Script::plan_directory() {
    const std::string path = new_name();
    add({.kind = Kind::make_directory, .path = path, .mode = 0755});
    maybe_sync_directory(path, 30);
    const std::string file = path + "/f" + std::to_string(dice_.pick(3));
    add({.kind = Kind::create, .path = file, .mode = 0600});
    add({.kind = Kind::write, .path = file, .count = 1 + dice_.pick(4)});
    maybe_sync(file, 70);
}

/// Of a directory and all that it holds, from the inside out.
void Script::plan_removal() {
    const std::string path = dice_.one_of(directories());
    if (path == room_ || path == room_ + "/" + linked_name)
        return;
    std::vector<Tree::Entry> victims = tree_.entries(path);
    std::reverse(victims.begin(), victims.end());
    for (const Tree::Entry& victim : victims)
        add({.kind = victim.object->is_directory ? Kind::remove_directory : Kind::unlink, .path = victim.path});
    add({.kind = Kind::remove_directory, .path = path});
    maybe_sync_directory(parent_of(path), 60);
}

void Script::plan_hold() {
    add({.kind = Kind::hold, .path = some_file()});
}

// --- What becomes of the tree ----------------------------------------------------------------------------------------

void Script::apply(Operation& operation) {
    const std::string &path = operation.path, &to = operation.to;
    std::shared_ptr<Object> object;

    switch (operation.kind) {
    case Kind::create:
        object = Object::new_file(next_file_++, operation.mode, 0);
        tree_.put(path, object);
        break;
    case Kind::make_directory: tree_.put(path, Object::new_directory(operation.mode)); break;
    case Kind::link:
        object = tree_.at(path);
        ++object->names;
        tree_.put(to, object);
        break;
    case Kind::unlink:
        object = tree_.take(path);
        --object->names;
        break;
    case Kind::remove_directory: tree_.take(path); break;
    case Kind::rename:
        if (tree_.has(to))
            --tree_.take(to)->names;
        object = tree_.take(path);
        tree_.put(to, object);
        break;
    case Kind::exchange: {
        object = tree_.at(path);
        const auto other = tree_.at(to);
        tree_.put(path, other);
        tree_.put(to, object);
        break;
    }
    case Kind::chmod:
        object = tree_.at(path);
        object->mode = operation.mode;
        break;
    case Kind::write:
        object = tree_.at(path);
        operation.version = ++object->version;
        object->blocks = std::max(object->blocks, operation.first + operation.count);
        break;
    case Kind::truncate:
        object = tree_.at(path);
        operation.version = ++object->version;
        object->blocks = 0;
        break;
    case Kind::hold:
        object = tree_.at(path);
        held_.insert(object->file);
        break;
    case Kind::fsync:
    case Kind::fdatasync:
    case Kind::fsync_directory:
        object = tree_.at(path);
        operation.held &= held_.contains(object->file);
        break;
    case Kind::syncfs: break;
    }
    if (object && !object->is_directory)
        operation.file = object->file;
}

} // namespace shale::powercut
