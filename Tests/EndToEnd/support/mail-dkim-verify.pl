#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Waxwing authors

# mail-dkim-verify.pl RECORDS MESSAGE: what Mail::DKIM says of each signature, a line each: algorithm, result.
# RECORDS holds a line a key record: name, white space, record. No DNS is asked.
use strict;
use warnings;
use Mail::DKIM::Verifier;
use Mail::DKIM::PublicKey;

my ($records, $message) = @ARGV;
my %texts;
open(my $list, '<', $records) or die "$records: $!";
while (<$list>) { $texts{$1} = $2 if /^(\S+)\s+(.*\S)/ }

no warnings 'redefine';
*Mail::DKIM::PublicKey::fetch_async = sub {
    my ($class, %parameters) = @_;
    my $text = $texts{"$parameters{Selector}._domainkey.$parameters{Domain}"};
    return sub {
        my $key = defined $text ? $class->parse($text) : undef;
        @{$key}{qw(Selector Domain)} = @parameters{qw(Selector Domain)} if $key;
        $key->check if $key;
        $parameters{Callbacks}{Success}->($key);
    };
};

my $verifier = Mail::DKIM::Verifier->new;
open(my $file, '<:raw', $message) or die "$message: $!";
while (read($file, my $octets, 65536)) { $verifier->PRINT($octets) }
$verifier->CLOSE;
print join(' ', $_->algorithm, $_->result_detail), "\n" for $verifier->signatures;
