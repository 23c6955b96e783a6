// SPDX-License-Identifier: LGPL-2.1-or-later
#include "exercise/first_tree.hpp"

#include "base/at.hpp"
#include "exercise/comparison.hpp"
#include "tree/attributes.hpp"

namespace shale::exercise {

namespace {

NodePtr node_of(const struct stat& st) {
    auto node = std::make_shared<Node>();
    node->mode = st.st_mode;
    node->uid = st.st_uid;
    node->gid = st.st_gid;
    node->device = st.st_rdev;
    node->links = st.st_nlink;
    node->modified = st.st_mtim;
    node->had_several_names = st.st_nlink > 1;
    node->is_of_layers = true;
    return node;
}

class Builder {
public:
    explicit Builder(const tree::Union& shown) : shown_(shown) {}

    NodePtr build(const tree::Object& object) {
        if (!object.is_directory())
            return build_other(object);
        NodePtr node = describe(object);
        for (const auto& [name, holders] : shown_.list(object)) {
            if (const auto child = shown_.look_up(object, name, &holders))
                node->children[name] = build(*child);
        }
        return node;
    }

private:
    NodePtr describe(const tree::Object& object) const {
        NodePtr node = node_of(object.st);
        for (auto& [name, value] : tree::shown_xattrs(shown_, object)) {
            if (!name.starts_with("security."))
                node->xattrs[name] = value;
        }
        if (node->is_file())
            node->content = read_all(tree::open_content(object).get(), object.data.name);
        if (node->is_symlink())
            node->target = tree::link_target(object);
        return node;
    }

    /// Names of one real file are names of one file.
    NodePtr build_other(const tree::Object& object) {
        NodePtr& node = known_[tree::identity_of(object.st)];
        if (!node)
            node = describe(object);
        return node;
    }

    const tree::Union& shown_;
    std::map<tree::Identity, NodePtr> known_;
};

} // namespace

NodePtr tree_of(const tree::Union& shown) {
    return Builder(shown).build(shown.root());
}

NodePtr tree_of_empty(int directory) {
    NodePtr root = node_of(stat_of(directory, "."));
    root->xattrs = xattrs_of(directory, ".");
    return root;
}

} // namespace shale::exercise
