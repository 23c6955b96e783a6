// SPDX-License-Identifier: GPL-2.0-or-later
#include "layers.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "block.hpp"

namespace shale::powercut {

namespace {

enum class Layer { top, low, hidden };

struct LayerFile {
    Layer layer; ///< hidden: one of the lowest layer, which one of the top has the name of
    std::string path;
    unsigned number, blocks;
};

constexpr unsigned numbers_of_a_hand = 1000000, numbers_of_a_room = 1000;
constexpr unsigned linked_number = 900;

/// Large enough now and then that a copy-up takes its time.
unsigned blocks_of(unsigned number) {
    return number % 7 == 0 ? 16 : 1 + number % 5;
}

unsigned first_number_of(unsigned hand, unsigned room) {
    return hand * numbers_of_a_hand + room * numbers_of_a_room;
}

/// All files of a room but the linked ones.
std::vector<LayerFile> files_of(unsigned hand, unsigned room) {
    std::vector<LayerFile> files;
    const std::string place = room_of(hand, room);
    unsigned number = first_number_of(hand, room);
    const auto add = [&](const std::string& path) {
        ++number;
        const Layer layer = number % 3 == 0 ? Layer::top : Layer::low;
        files.push_back({layer, path, number, blocks_of(number)});
        if (number % 6 == 0)
            files.push_back({Layer::hidden, path, number + 500, 2});
    };
    for (unsigned i = 0; i < 10; ++i)
        add(place + "/f" + std::to_string(i));
    for (unsigned i = 0; i < 5; ++i)
        for (unsigned j = 0; j < 3; ++j)
            add(place + "/d" + std::to_string(i) + "/f" + std::to_string(j));
    for (unsigned i = 0; i < 2; ++i)
        add(place + "/d0/s/f" + std::to_string(i));
    return files;
}

std::string linked_place_of(unsigned hand, unsigned room) {
    return room_of(hand, room) + "/" + linked_name;
}

LayerFile linked_file_of(unsigned hand, unsigned room) {
    return {Layer::low, linked_place_of(hand, room) + "/l0", first_number_of(hand, room) + linked_number, 3};
}

void make_file(const std::string& path, const LayerFile& file) {
    make_directories(parent_of(path), 0755);
    const UniqueFd fd = open_at(AT_FDCWD, path, O_CREAT | O_EXCL | O_WRONLY, 0644);
    for (unsigned i = 0; i < file.blocks; ++i) {
        const Block block = make_block({file.number, 0, i});
        write_all_at(fd.get(), block.data(), block.size(), uint64_t{i} * block_size, path);
    }
}

void make_linked(const std::string& low, unsigned hand, unsigned room) {
    const LayerFile file = linked_file_of(hand, room);
    const std::string first = low + "/" + file.path, second = low + "/" + linked_place_of(hand, room) + "/l1";
    make_file(first, file);
    if (::link(first.c_str(), second.c_str()) != 0)
        throw Error::from_errno(second, errno);
}

void put_with_parents(Tree& tree, const std::string& path, std::shared_ptr<Object> object) {
    const std::string parent = parent_of(path);
    if (!tree.has(parent))
        put_with_parents(tree, parent, Object::new_directory(0755));
    tree.put(path, std::move(object));
}

Tree build_tree(unsigned hand, bool linked, bool (*is_in)(Layer)) {
    Tree tree;
    for (unsigned room = 0; room < nr_rooms; ++room) {
        for (const LayerFile& file : files_of(hand, room))
            if (is_in(file.layer))
                put_with_parents(tree, file.path, Object::new_file(file.number, 0644, file.blocks));
        if (!linked)
            continue;
        const LayerFile file = linked_file_of(hand, room);
        const auto object = Object::new_file(file.number, 0644, file.blocks);
        object->names = 2;
        put_with_parents(tree, file.path, object);
        tree.put(linked_place_of(hand, room) + "/l1", object);
    }
    return tree;
}

} // namespace

std::string place_of(unsigned hand) {
    return "hand" + std::to_string(hand);
}

std::string room_of(unsigned hand, unsigned room) {
    return place_of(hand) + "/room" + std::to_string(room);
}

Tree tree_of(unsigned hand, bool linked) {
    return build_tree(hand, linked, [](Layer layer) { return layer != Layer::hidden; });
}

Tree top_of(unsigned hand) {
    return build_tree(hand, false, [](Layer layer) { return layer == Layer::top; });
}

Tree low_of(unsigned hand) {
    return build_tree(hand, true, [](Layer layer) { return layer != Layer::top; });
}

void make_layers(const std::string& directory) {
    const std::string top = directory + "/top", low = directory + "/low";
    for (unsigned hand = 0; hand < nr_hands; ++hand) {
        for (unsigned room = 0; room < nr_rooms; ++room) {
            for (const LayerFile& file : files_of(hand, room))
                make_file((file.layer == Layer::top ? top : low) + "/" + file.path, file);
            make_linked(low, hand, room);
        }
    }
}

} // namespace shale::powercut
