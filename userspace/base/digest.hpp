// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace shale {

/// A sha256 digest, held as its 64 lower-case hexadecimal digits.
class Digest {
public:
    Digest() = default;

    /// Reads "sha256:HEX". @p shown names, in the Error thrown, the file that says so.
    static Digest parse(const std::string& text, const std::string& shown);
    static Digest of(std::string_view data);

    const std::string& hex() const { return hex_; }
    /// "sha256:HEX"
    std::string text() const { return "sha256:" + hex_; }
    bool empty() const { return hex_.empty(); }
    auto operator<=>(const Digest&) const = default;

private:
    friend class Sha256;
    explicit Digest(std::string hex) : hex_(std::move(hex)) {}
    std::string hex_;
};

/// sha256 over data that arrives in pieces.
class Sha256 {
public:
    Sha256();
    void update(const void* data, size_t size);
    /// The digest of everything so far; afterwards the object can only be destroyed.
    Digest finish();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

} // namespace shale
