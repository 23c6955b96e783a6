// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/schema.hpp"

#include <string>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/error.hpp"

namespace shale {

namespace {

constexpr int64_t version = 4;

constexpr const char* create = R"(
CREATE TABLE layers (
    chain_id TEXT PRIMARY KEY,  -- "sha256:HEX"; layers/HEX is the directory
    diff_id  TEXT NOT NULL,
    size     INTEGER NOT NULL,  -- of the uncompressed tar
    tree     TEXT NOT NULL      -- digest; trees/HEX lists what the directory holds; empty: no list was made
);
CREATE TABLE images (
    name          TEXT PRIMARY KEY,
    manifest      TEXT NOT NULL,    -- digest
    media_type    TEXT NOT NULL,    -- of the manifest; empty: its blobs were never kept
    config_digest TEXT NOT NULL,
    config        TEXT NOT NULL,    -- JSON
    imported      INTEGER NOT NULL  -- seconds since 1970
);
CREATE TABLE image_layers (
    image    TEXT NOT NULL REFERENCES images ON DELETE CASCADE,
    position INTEGER NOT NULL,  -- 0 is the bottom
    chain_id TEXT NOT NULL REFERENCES layers,
    blob     TEXT NOT NULL,     -- digest
    PRIMARY KEY (image, position)
);
CREATE TABLE snapshots (
    name     TEXT PRIMARY KEY,  -- snapshots/NAME is the directory
    image    TEXT NOT NULL REFERENCES images,
    created  INTEGER NOT NULL,
    is_view  INTEGER NOT NULL   -- 1: it has no writable layer
);
PRAGMA user_version = 4;
)";

/// Version 2 keeps blobs. What was imported before has none, which an empty media type tells.
void migrate_from_1(Database& database) {
    database.execute("ALTER TABLE images ADD COLUMN media_type TEXT NOT NULL DEFAULT '';"
                     "ALTER TABLE images ADD COLUMN config_digest TEXT NOT NULL DEFAULT '';");
    Statement images(database, "SELECT name, config FROM images");
    std::vector<std::pair<std::string, std::string>> configs;
    while (images.step())
        configs.emplace_back(images.text(0), images.text(1));
    for (const auto& [name, config] : configs)
        Statement(database, "UPDATE images SET config_digest = ? WHERE name = ?")
            .bind(Digest::of(config).text())
            .bind(name)
            .run();
    database.execute("PRAGMA user_version = 2");
}

/// Version 3 lists what layers hold; of those imported before nobody knows it any more. And it has images and
/// snapshots in files as well.
void migrate_from_2(Database& database) {
    database.execute("ALTER TABLE layers ADD COLUMN tree TEXT NOT NULL DEFAULT '';"
                     "PRAGMA user_version = 3");
}

/// Version 4 has views.
void migrate_from_3(Database& database) {
    database.execute("ALTER TABLE snapshots ADD COLUMN is_view INTEGER NOT NULL DEFAULT 0;"
                     "PRAGMA user_version = 4");
}

int64_t version_of(Database& database) {
    Statement statement(database, "PRAGMA user_version");
    statement.step();
    return statement.number(0);
}

} // namespace

void ensure_schema(Database& database, const std::function<void()>& write_files) {
    if (version_of(database) == version)
        return;
    Transaction transaction(database);
    const int64_t found = version_of(database); // another process may have been faster
    if (found > version)
        throw Error(database.path(),
                    "written by a newer shale (schema " + std::to_string(found) + ")",
                    "use that one");
    if (found == 0)
        database.execute(create);
    if (found == 1)
        migrate_from_1(database);
    if (found == 1 || found == 2)
        migrate_from_2(database);
    if (found >= 1 && found <= 3)
        migrate_from_3(database);
    if (found == 1 || found == 2)
        write_files();
    transaction.commit();
}

} // namespace shale
