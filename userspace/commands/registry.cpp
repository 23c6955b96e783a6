// SPDX-License-Identifier: GPL-2.0-or-later
#include "commands/registry.hpp"

#include <cerrno>

#include <fcntl.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/error.hpp"
#include "base/program.hpp"

namespace shale {

namespace {

const std::string transport = "docker://";

} // namespace

void add_registry_options(CLI::App& command, RegistryOptions& options) {
    command.add_flag("--insecure", options.insecure,
                     "Take a registry without TLS, or with a certificate that nobody vouches for");
    command.add_option("--authfile", options.auth_file, "Who one is to the registry: what \"skopeo login\" has written")
        ->type_name("FILE");
}

LayoutDirectory::LayoutDirectory(const Store& store)
    : root_(open_at(AT_FDCWD, store.root(), O_RDONLY | O_DIRECTORY)), staging_(root_.get()),
      path_(read_link_at(AT_FDCWD, "/proc/self/fd/" + std::to_string(staging_.fd()))) {
    path_.resize(path_.find('\0') == std::string::npos ? path_.size() : path_.find('\0'));
    path_ += "/layout";
    if (path_.find(':') != std::string::npos)
        throw Error(store.root(), "has a colon in its path, at which skopeo would end it", "use another --root");
}

std::string plain_reference(const std::string& reference) {
    return reference.starts_with(transport) ? reference.substr(transport.size()) : reference;
}

std::string registry_source(const std::string& reference) {
    return transport + plain_reference(reference);
}

void copy_by_skopeo(const std::string& from, const std::string& to, const std::string& side,
                    const RegistryOptions& options, Progress& progress) {
    std::vector<std::string> words = {"skopeo", "copy"};
    if (options.insecure)
        words.push_back("--" + side + "-tls-verify=false");
    if (!options.auth_file.empty())
        words.insert(words.end(), {"--authfile", options.auth_file});
    // Or skopeo would compress layers on their way. Manifests of Docker's own kind can't be kept in a layout.
    words.emplace_back(side == "dest" ? "--preserve-digests" : "--dest-oci-accept-uncompressed-layers");
    words.insert(words.end(), {from, to});
    // Its progress is for people; ours is the only one that programs read.
    const UniqueFd nowhere = open_at(AT_FDCWD, "/dev/null", O_WRONLY);
    const int output = isatty(STDERR_FILENO) != 0 ? STDERR_FILENO : nowhere.get();
    int status = 0;
    try {
        status = run_program(words, output, progress);
    } catch (const Error& error) {
        if (error.code() != ENOENT)
            throw;
        throw Error("skopeo", "is not installed, and it is what talks to registries", "install the package skopeo");
    }
    const bool is_source = side == "src";
    if (status != 0)
        throw Error(is_source ? from : to, "skopeo failed with status " + std::to_string(status),
                    options.insecure ? "it has told why" : "it has told why; a registry without TLS needs --insecure");
}

} // namespace shale
