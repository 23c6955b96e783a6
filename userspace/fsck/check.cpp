// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/check.hpp"

#include <vector>

#include <fcntl.h>

#include "base/at.hpp"
#include "fsck/index_check.hpp"
#include "fsck/layer_walk.hpp"
#include "fsck/sink.hpp"
#include "fsck/work_check.hpp"

namespace shale::fsck {

namespace {

/// A directory that must lie apart from all others.
struct Root {
    std::string path;
    tree::Identity identity;
};

Root root_of(const std::string& path) {
    return {path, tree::identity_of(stat_of(open_at(AT_FDCWD, path, O_PATH | O_DIRECTORY).get(), path))};
}

/// On the way up from @p root, to the root of its file system or the process's.
void refuse_within(const Root& root, const std::vector<Root>& others) {
    UniqueFd at = open_at(AT_FDCWD, root.path, O_PATH | O_DIRECTORY);
    for (tree::Identity before = root.identity;;) {
        at = open_at(at.get(), "..", O_PATH | O_DIRECTORY);
        const auto here = tree::identity_of(stat_of(at.get(), root.path));
        if (here == before)
            return;
        for (const Root& other : others) {
            if (other.identity == here)
                throw Error(root.path, "lies within " + other.path + ", and no mount takes such layers",
                            "name the directories that are mounted");
        }
        before = here;
    }
}

void refuse_overlaps(const Subject& subject) {
    std::vector<Root> roots;
    for (const auto& layer : subject.layers)
        roots.push_back(root_of(layer->path()));
    if (subject.work)
        roots.push_back(root_of(*subject.work));
    for (std::size_t one = 0; one < roots.size(); ++one) {
        for (std::size_t other = 0; other < one; ++other) {
            if (roots[one].identity == roots[other].identity)
                throw Error(roots[one].path, "is named twice", "name each layer once, and another work directory");
        }
        refuse_within(roots[one], roots);
    }
    if (subject.work && roots.back().identity.first != roots.front().identity.first)
        throw Error(*subject.work, "is on another file system than the upper, and can't be its work directory");
}

} // namespace

Result check(const Subject& subject, Observer& observer) {
    refuse_overlaps(subject);
    Sink sink(observer);
    IndexCheck index(subject, sink);
    const std::size_t named = subject.layers.size() - subject.data_layers;
    for (std::size_t layer = 0; layer < named; ++layer)
        LayerWalk(subject, layer, layer == 0 && subject.is_upper ? &index.facts() : nullptr, sink).run();
    if (subject.work) {
        index.run();
        if (!subject.is_live)
            check_work(subject, sink);
    }
    sink.check_cancelled();
    return sink.take();
}

} // namespace shale::fsck
