// SPDX-License-Identifier: LGPL-2.1-or-later
#include "fsck/names_of_files.hpp"

namespace shale::fsck {

namespace {

void count_below(const tree::Union& model, const tree::Object& directory, NamesOfFiles& names, Sink& sink) {
    for (const auto& [name, holders] : model.list(directory)) {
        sink.check_cancelled();
        try {
            const auto object = model.look_up(directory, name, &holders);
            if (!object)
                continue;
            if (object->is_directory())
                count_below(model, *object, names, sink);
            else if (const auto file = names.count.find(tree::identity_of(object->st)); file != names.count.end())
                ++file->second;
        } catch (const tree::Damaged&) {
            names.is_complete = false;
        }
    }
}

} // namespace

NamesOfFiles count_names(const Subject& subject, std::map<tree::Identity, uint64_t> files, Sink& sink) {
    const tree::Union model(subject.layers, subject.prefix, subject.data_layers);
    NamesOfFiles names{std::move(files)};
    count_below(model, model.root(), names, sink);
    return names;
}

} // namespace shale::fsck
