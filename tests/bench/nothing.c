// SPDX-License-Identifier: GPL-2.0-or-later
/* The small program whose execution is measured. */
int main(void)
{
	return 0;
}
