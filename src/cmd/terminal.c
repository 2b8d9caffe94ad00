/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/terminal.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/units.h"

#define TIMES    3
#define TIMES_MS 1000

void terminal_raw(struct terminal *t)
{
	struct termios raw;

	if (t->raw || tcgetattr(STDIN_FILENO, &t->before) < 0)
		return;
	raw = t->before;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

void terminal_restore(struct terminal *t)
{
	if (t->raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->before);
	t->raw = false;
}

void terminal_size(unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize w = {};

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &w) < 0)
		w = (struct winsize){};
	*ret_rows = w.ws_row;
	*ret_columns = w.ws_col;
}

bool times_enough(struct times *t)
{
	int64_t now = clock_mono_ms();

	if (t->n == 0 || now - t->first_ms > TIMES_MS)
		*t = (struct times){ .first_ms = now };
	return ++t->n >= TIMES;
}

bool signal_is_ignored(int number)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}
