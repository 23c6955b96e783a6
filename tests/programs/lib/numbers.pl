#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# numbers.pl fast-import FILES COMMITS: a history for `git fast-import`, in whose last commit there are so many files
# numbers.pl sources DIR FILES: a C program of so many files and a Makefile; it prints the sum of what they return
use strict;
use warnings;

my $state = 1;

sub number { $state = ($state * 1103515245 + 12345) % 2147483648; return ($state >> 8) % $_[0]; }

sub text { return join("", map { "line $_ of " . number(1000000) . " and " . number(1000000) . "\n" } 1 .. 5 + number(30)); }

sub data { return "data " . length($_[0]) . "\n$_[0]\n"; }

sub path { return sprintf("part%02d/sub%d/file%04d.txt", $_[0] % 40, $_[0] % 7, $_[0]); }

sub fast_import {
    my ($files, $commits) = @_;
    my $made = 0;
    for my $commit (1 .. $commits) {
        my $time = 1700000000 + $commit * 60;
        my $wanted = int($files / 2 + ($files - int($files / 2)) * ($commit - 1) / ($commits - 1));
        print "commit refs/heads/main\ncommitter Somebody <somebody\@localhost> $time +0000\n", data("commit $commit\n");
        print "M 100644 inline ", path($_), "\n", data(text()) for map { number($made) } $made ? 1 .. 20 : ();
        print "M 100644 inline ", path($made), "\n", data(text()) while $made++ < $wanted;
        $made--;
    }
}

sub write_file {
    my ($path, $text) = @_;
    open(my $file, ">", $path) or die "$path: $!";
    print $file $text;
    close($file) or die "$path: $!";
}

sub sources {
    my ($dir, $files) = @_;
    my ($sum, $declared, $calls) = (0, "", "");
    for my $n (1 .. $files) {
        my $value = number(1000);
        $sum += $value;
        $declared .= "int part$n(int);\n";
        $calls .= "\tsum += part$n($n);\n";
        write_file("$dir/part$n.c", "#include <stdlib.h>\n#include <string.h>\n#include \"parts.h\"\n\n" .
            join("", map { "static int step$_(int n)\n{\n\tchar text[32] = \"$_\";\n\n" .
                "\treturn n > $_ ? (int)strlen(text) + atoi(text) : n * $_;\n}\n\n" } 1 .. 10) .
            "int part$n(int n)\n{\n\tint zero = 0;\n\n" . join("", map { "\tzero += step$_(n);\n" } 1 .. 10) .
            "\treturn zero * 0 + $value;\n}\n");
    }
    write_file("$dir/parts.h", $declared);
    write_file("$dir/main.c", "#include <stdio.h>\n#include \"parts.h\"\n\nint main(void)\n{\n\tint sum = 0;\n\n$calls" .
        "\tprintf(\"%d\\n\", sum);\n\treturn 0;\n}\n");
    write_file("$dir/expected", "$sum\n");
    write_file("$dir/Makefile", "objects = main.o " . join(" ", map { "part$_.o" } 1 .. $files) . "\n\n" .
        "program: \$(objects)\n\tgcc -o \$@ \$(objects)\n\n" .
        "%.o: %.c parts.h\n\tgcc -O1 -Wall -c -o \$@ \$<\n");
}

my $what = shift // "";
$what eq "fast-import" ? fast_import(@ARGV) : $what eq "sources" ? sources(@ARGV) : die "what?\n";
