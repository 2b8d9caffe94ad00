#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# What fuzz-diff asks: blocks on standard input, a 32-bit length in network order
# before each, are read by TAP::Parser; answers go back in the same form:
#
#	ok|not ok TAB NUMBER TAB |SKIP|TODO TAB DESCRIPTION TAB EXPLANATION
#	plan TAB good|bad|none
use strict;
use warnings;
use TAP::Parser;

binmode STDIN;
binmode STDOUT;
$| = 1;

sub take {
	my ($n) = @_;
	my $bytes = '';
	while (length $bytes < $n) {
		read(STDIN, $bytes, $n - length $bytes, length $bytes) or exit;
	}
	return $bytes;
}

while (1) {
	my $block = take(unpack 'N', take(4));
	my $parser = TAP::Parser->new({ tap => $block });
	my $answer = '';
	while (my $line = $parser->next) {
		next unless $line->is_test;
		my $directive = $line->has_skip ? 'SKIP' : $line->has_todo ? 'TODO' : '';
		$answer .= join("\t", $line->is_actual_ok ? 'ok' : 'not ok', $line->number,
			$directive, $line->description, $line->explanation) . "\n";
	}
	my $bad = grep { /^Bad plan/ } $parser->parse_errors;
	my $plan = !defined $parser->plan ? 'none' : $bad ? 'bad' : 'good';
	$answer .= "plan\t$plan\n";
	utf8::encode($answer) if utf8::is_utf8($answer);
	print pack('N', length $answer), $answer;
}
