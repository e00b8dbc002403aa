#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

# mail-dkim-verify.pl: what Mail::DKIM says of each signature of many messages. It reads lines from standard input:
#
#     keys FILE      from now on these are all key records: a line each, name, white space, record; no DNS is asked
#     verify FILE    one line is the answer: for each signature, top to bottom, ALGORITHM=RESULT, with a tab in between
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::PublicKey;

my %records;

no warnings 'redefine';
*Mail::DKIM::PublicKey::fetch_async = sub {
    my ($class, %parameters) = @_;
    my $text = $records{"$parameters{Selector}._domainkey.$parameters{Domain}"};
    return sub {
        my $key = defined $text ? $class->parse($text) : undef;
        @{$key}{qw(Selector Domain)} = @parameters{qw(Selector Domain)} if $key;
        $key->check if $key;
        $parameters{Callbacks}{Success}->($key);
    };
};

sub read_keys {
    my ($path) = @_;
    %records = ();
    open(my $file, '<', $path) or die "$path: $!";
    while (<$file>) { $records{$1} = $2 if /^(\S+)\s+(.*\S)/ }
}

sub verify {
    my ($path) = @_;
    my $verifier = Mail::DKIM::Verifier->new;
    open(my $file, '<:raw', $path) or die "$path: $!";
    while (read($file, my $octets, 65536)) { $verifier->PRINT($octets) }
    $verifier->CLOSE;
    return join("\t", map { $_->algorithm . '=' . $_->result_detail } $verifier->signatures);
}

$| = 1;
while (my $line = <STDIN>) {
    chomp $line;
    my ($command, $path) = split(/ /, $line, 2);
    if ($command eq 'keys') { read_keys($path) }
    elsif ($command eq 'verify') { print verify($path), "\n" }
    else { die "no such command: $line\n" }
}
