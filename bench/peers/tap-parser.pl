#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# Perl's TAP::Parser. `tap-parser.pl speed FILE` only reads; `tap-parser.pl
# results FILE...` prints what bench/peers/README describes.
use strict;
use warnings;
use TAP::Parser;

sub read_log {
	my ($in, $results) = @_;
	my $parser = TAP::Parser->new({ source => $in });
	while (my $line = $parser->next) {
		next unless $results && $line->is_test;
		my $status = !$line->is_ok ? 'fail' : $line->has_skip ? 'skip'
			: $line->has_todo ? 'todo' : 'pass';
		print "$status\t", $line->description, "\n";
	}
	# What prove(1) calls a problem.
	print "verdict\t", ($parser->has_problems ? 'not ok' : 'ok'), "\n" if $results;
}

my $mode = shift;
for my $file (@ARGV) {
	open my $in, '<', $file or die "$file: $!\n";
	print "== $file\n" if $mode eq 'results';
	eval { read_log($in, $mode eq 'results'); 1 } or print "verdict\tdied\n";
}
