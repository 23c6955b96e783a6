// SPDX-License-Identifier: LGPL-2.1-or-later
#include "oci/derived_image.hpp"

#include <map>

#include "base/error.hpp"

namespace shale::oci {

namespace {

// What is in the config already keeps its order.
using OrderedJson = nlohmann::ordered_json;

const std::string image_type = "application/vnd.oci.image.";

/// The same kind of layer as OCI calls it: manifests of docker's kind have names of their own.
std::string oci_layer_type(const std::string& type) {
    static const std::map<std::string, std::string> names = {
        {"application/vnd.docker.image.rootfs.diff.tar", image_type + "layer.v1.tar"},
        {"application/vnd.docker.image.rootfs.diff.tar.gzip", image_type + "layer.v1.tar+gzip"},
        {"application/vnd.docker.image.rootfs.diff.tar.zstd", image_type + "layer.v1.tar+zstd"},
        {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
         image_type + "layer.nondistributable.v1.tar+gzip"}};
    const auto known = names.find(type);
    return known == names.end() ? type : known->second;
}

std::string time_text(std::time_t time) {
    struct tm parts = {};
    char text[64];
    if (!gmtime_r(&time, &parts) || strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        throw Error("time " + std::to_string(time), "has no date");
    return text;
}

OrderedJson history_entry(const Step& step) {
    OrderedJson entry = {{"created", time_text(step.created)}, {"created_by", step.created_by}};
    if (!step.author.empty())
        entry["author"] = step.author;
    if (!step.comment.empty())
        entry["comment"] = step.comment;
    return entry;
}

bool has_layer(const OrderedJson& entry) {
    return !(entry.is_object() && entry.value("empty_layer", OrderedJson()) == true);
}

size_t layers_in(const OrderedJson& history) {
    size_t layers = 0;
    for (const OrderedJson& entry : history)
        layers += has_layer(entry);
    return layers;
}

/// With a history that tells of each layer.
OrderedJson config_of(const Manifest& parent, const std::string& shown) {
    OrderedJson config = OrderedJson::parse(parent.config, nullptr, false);
    if (!config.is_object() || !config.contains("rootfs") || !config["rootfs"].is_object() ||
        !config["rootfs"].contains("diff_ids") || !config["rootfs"]["diff_ids"].is_array())
        throw Error(shown, "its config lacks 'rootfs.diff_ids'", "import the image again");
    OrderedJson& history = config["history"];
    if (!history.is_array())
        history = OrderedJson::array();
    // Programs count the entries that have a layer: those below must not be fewer than their layers.
    while (layers_in(history) < parent.layers.size())
        history.push_back({{"comment", "a layer without history"}});
    return config;
}

std::string derive_config(const Manifest& parent, const Step& step, const std::string& shown) {
    OrderedJson config = config_of(parent, shown);
    config["created"] = time_text(step.created);
    if (!step.author.empty())
        config["author"] = step.author;
    config["rootfs"]["diff_ids"].push_back(step.layer.diff_id.text());
    config["history"].push_back(history_entry(step));
    return config.dump();
}

OrderedJson merged_history(const OrderedJson& history, const MergedLayer& merged) {
    OrderedJson result = OrderedJson::array();
    size_t next = 0;
    for (OrderedJson entry : history) {
        const bool is_merged = has_layer(entry) && next >= merged.first && next <= merged.last;
        const bool is_last = is_merged && next == merged.last;
        next += has_layer(entry);
        if (is_merged && !entry.is_object())
            entry = OrderedJson::object();
        if (is_merged)
            entry["empty_layer"] = true;
        const OrderedJson created = is_last ? entry.value("created", OrderedJson()) : OrderedJson();
        result.push_back(std::move(entry));
        if (!is_last)
            continue;
        OrderedJson step = {{"created_by", merged.created_by}, {"comment", merged.comment}};
        if (created.is_string())
            step["created"] = created;
        result.push_back(std::move(step));
    }
    return result;
}

std::string merge_config(const Manifest& parent, const std::vector<LayerDescriptor>& layers,
                         const MergedLayer& merged, const std::string& shown) {
    OrderedJson config = config_of(parent, shown);
    OrderedJson ids = OrderedJson::array();
    for (const LayerDescriptor& layer : layers)
        ids.push_back(layer.diff_id.text());
    config["rootfs"]["diff_ids"] = std::move(ids);
    config["history"] = merged_history(config["history"], merged);
    return config.dump();
}

Descriptor describe(const std::string& media_type, const std::string& content) {
    Descriptor descriptor;
    descriptor.media_type = media_type;
    descriptor.digest = Digest::of(content);
    descriptor.size = content.size();
    return descriptor;
}

OrderedJson to_json(const Descriptor& descriptor) {
    return {{"mediaType", descriptor.media_type},
            {"digest", descriptor.digest.text()},
            {"size", descriptor.size}};
}

} // namespace

void check_text(const std::string& what, const std::string& text) {
    try {
        (void)OrderedJson(text).dump();
    } catch (const nlohmann::json::type_error&) {
        throw Error("the new image's " + what, "is no text in UTF-8", "spell it in UTF-8");
    }
}

namespace {

/// An OCI image, whose manifest is made here.
Manifest make_image(std::string config, std::vector<LayerDescriptor> its_layers) {
    Manifest image;
    image.config = std::move(config);
    image.config_blob = describe(image_type + "config.v1+json", image.config);
    image.layers = std::move(its_layers);
    for (LayerDescriptor& layer : image.layers)
        layer.blob.media_type = oci_layer_type(layer.blob.media_type);
    OrderedJson layers = OrderedJson::array();
    for (const LayerDescriptor& layer : image.layers)
        layers.push_back(to_json(layer.blob));
    const OrderedJson manifest = {{"schemaVersion", 2},
                                  {"mediaType", image_type + "manifest.v1+json"},
                                  {"config", to_json(image.config_blob)},
                                  {"layers", layers}};
    image.text = manifest.dump();
    image.descriptor = describe(manifest["mediaType"], image.text);
    return image;
}

} // namespace

Manifest derive(const Manifest& parent, const Step& step, const std::string& shown) {
    std::vector<LayerDescriptor> layers = parent.layers;
    layers.push_back(step.layer);
    return make_image(derive_config(parent, step, shown), std::move(layers));
}

Manifest merge(const Manifest& parent, const MergedLayer& merged, const std::string& shown) {
    std::vector<LayerDescriptor> layers = parent.layers;
    const auto begin = layers.begin();
    layers[merged.first] = merged.layer;
    layers.erase(begin + static_cast<std::ptrdiff_t>(merged.first) + 1,
                 begin + static_cast<std::ptrdiff_t>(merged.last) + 1);
    std::string config = merge_config(parent, layers, merged, shown);
    return make_image(std::move(config), std::move(layers));
}

} // namespace shale::oci
