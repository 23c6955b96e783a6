// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/digest.hpp"

#include <openssl/evp.h>

#include "base/error.hpp"

namespace shale {

namespace {

constexpr std::string_view algorithm = "sha256:";
constexpr size_t hex_length = 64;

void require(int ok) {
    if (ok != 1)
        throw Error("sha256", "libcrypto cannot compute it");
}

} // namespace

Digest Digest::parse(const std::string& text, const std::string& shown) {
    if (!text.starts_with(algorithm))
        throw Error(shown, "digest '" + text + "' is not sha256",
                    "copy the image with a tool that writes sha256 digests, such as skopeo");
    std::string hex = text.substr(algorithm.size());
    if (hex.size() != hex_length || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
        throw Error(shown, "digest '" + text + "' is malformed",
                    "the image is damaged: copy it again");
    return Digest(std::move(hex));
}

Digest Digest::of(std::string_view data) {
    Sha256 sha;
    sha.update(data.data(), data.size());
    return sha.finish();
}

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    require(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void Sha256::update(const void* data, size_t size) {
    require(EVP_DigestUpdate(context_.get(), data, size));
}

Digest Sha256::finish() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    require(EVP_DigestFinal_ex(context_.get(), bytes, &size));
    std::string hex;
    hex.reserve(2 * size);
    for (unsigned int i = 0; i < size; i++) {
        hex += "0123456789abcdef"[bytes[i] >> 4];
        hex += "0123456789abcdef"[bytes[i] & 15];
    }
    return Digest(std::move(hex));
}

} // namespace shale
