"""`status`: what failed and what is pending stands first, whatever its name; each part takes one line."""

from recorded import SHOP

from dusty_tasks.verbs import status

status.show(SHOP)
