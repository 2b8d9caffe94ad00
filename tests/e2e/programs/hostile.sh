#!/bin/sh
# Names that want out of their context.
printf '1..4\n'
printf 'ok 1 - <script>alert(1)</script>\n'
printf 'not ok 2 - a "quoted" & \033[31mred\033[0m name\n'
printf 'ok 3 - ../../etc/passwd\n'
printf 'ok 4 - caf\303\251 \377\376 ]]>\n'
exit 1
