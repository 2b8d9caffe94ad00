/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest program, so that the installed taproom is one file. */
	.section .rodata
	.globl machine_guest_start, machine_guest_end
	.balign 16
machine_guest_start:
	.incbin GUEST
machine_guest_end:
	.section .note.GNU-stack, "", @progbits
