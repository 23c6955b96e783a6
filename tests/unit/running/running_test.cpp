// SPDX-License-Identifier: GPL-2.0-or-later
//
// What is to be run, and as whom.
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "running/image_command.hpp"
#include "running/user.hpp"

namespace shale::running::test {

using Words = std::vector<std::string>;

TEST(ImageCommandTest, ArgumentsTakeThePlaceOfCmdAndNotOfEntrypoint) {
    const std::string config = R"({"config": {"Entrypoint": ["e", "1"], "Cmd": ["c"]}})";
    EXPECT_EQ(command_of_image(config, {}, "it").arguments, (Words{"e", "1", "c"}));
    EXPECT_EQ(command_of_image(config, {"x", "-y"}, "it").arguments, (Words{"e", "1", "x", "-y"}));
    EXPECT_EQ(command_of_image(R"({"config": {"Cmd": ["c"]}})", {"x"}, "it").arguments, (Words{"x"}));
}

TEST(ImageCommandTest, NothingToRunIsRefused) {
    EXPECT_THROW(command_of_image("{}", {}, "it"), Error);
    EXPECT_THROW(command_of_image(R"({"config": {"Cmd": null}})", {}, "it"), Error);
    EXPECT_THROW(command_of_image(R"({"config": {"Cmd": [""]}})", {}, "it"), Error);
    EXPECT_THROW(command_of_image(R"({"config": {"Cmd": "sh"}})", {}, "it"), Error);
    EXPECT_EQ(command_of_image("{}", {"x"}, "it").arguments, (Words{"x"}));
}

TEST(ImageCommandTest, Surroundings) {
    const Command plain = command_of_image("{}", {"x"}, "it");
    EXPECT_EQ(plain.directory, "/");
    EXPECT_EQ(plain.user, "");
    EXPECT_TRUE(has_variable(plain.environment, "PATH"));

    const Command told = command_of_image(
        R"({"config": {"Env": ["A=1", "B=", "nonsense", "PATH=/p", "A=2"], "WorkingDir": "w", "User": "u:g"}})", {"x"}, "it");
    EXPECT_EQ(told.environment, (Words{"B=", "PATH=/p", "A=2"}));
    EXPECT_EQ(told.directory, "/w");
    EXPECT_EQ(told.user, "u:g");
}

constexpr const char* passwd = "root:x:0:0:root:/root:/bin/sh\n"
                               "# comment\n"
                               "web:x:33:34::/var/www:/sbin/nologin\n"
                               "5:x:77:78::/five:\n"
                               "bare:x:44:44::\n";
constexpr const char* group = "root:x:0:\nweb:x:34:\nssl:x:100:web,other\ndocker:x:101:other,web\nnone:x:102\n";

std::string shown(const User& user) {
    std::string text = std::to_string(user.uid) + ":" + std::to_string(user.gid);
    for (const gid_t gid : user.groups)
        text += "+" + std::to_string(gid);
    return text + " " + user.home;
}

TEST(UserTest, Found) {
    EXPECT_EQ(shown(find_user("", passwd, group)), "0:0 /root");
    EXPECT_EQ(shown(find_user("", "", "")), "0:0 /");
    EXPECT_EQ(shown(find_user("web", passwd, group)), "33:34+100+101 /var/www");
    EXPECT_EQ(shown(find_user("33", passwd, group)), "33:34+100+101 /var/www");
    EXPECT_EQ(shown(find_user("web:ssl", passwd, group)), "33:100 /var/www");
    EXPECT_EQ(shown(find_user("web:7", passwd, group)), "33:7 /var/www");
    EXPECT_EQ(shown(find_user("web:", passwd, group)), "33:34+100+101 /var/www");
    EXPECT_EQ(shown(find_user(":ssl", passwd, group)), "0:100 /root");
    EXPECT_EQ(shown(find_user("1234", passwd, group)), "1234:0 /");
    EXPECT_EQ(shown(find_user("5", passwd, group)), "77:78 /five"); // a name before a number
    EXPECT_EQ(shown(find_user("bare", passwd, group)), "44:44 /");
}

TEST(UserTest, NotFound) {
    EXPECT_THROW(find_user("nosuch", passwd, group), Error);
    EXPECT_THROW(find_user("web:nosuch", passwd, group), Error);
    EXPECT_THROW(find_user("-1", passwd, group), Error);
    EXPECT_THROW(find_user("4294967295", passwd, group), Error);
}

} // namespace shale::running::test
