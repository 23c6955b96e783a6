// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/digest.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace shale {

TEST(Digest, OfTheEmptyStringIsTheKnownOne) {
    EXPECT_EQ(Digest::of("").hex(),
              "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Digest, InPiecesEqualsDigestOfTheWhole) {
    Sha256 sha;
    sha.update("ab", 2);
    sha.update("c", 1);
    EXPECT_EQ(sha.finish(), Digest::of("abc"));
}

TEST(Digest, ParsesWhatItPrints) {
    const Digest digest = Digest::of("abc");
    EXPECT_EQ(Digest::parse(digest.text(), "file"), digest);
}

TEST(Digest, RefusesWhatCouldLeaveTheBlobDirectory) {
    for (const char* text :
         {"sha512:00", "sha256:../../etc/passwd", "sha256:", "abc",
          "sha256:E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"})
        EXPECT_THROW(Digest::parse(text, "index.json"), Error) << text;
}

} // namespace shale
