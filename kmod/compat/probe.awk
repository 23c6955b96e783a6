# SPDX-License-Identifier: GPL-2.0
#
# awk -f probe.awk PROBES MESSAGES: reads the probes, then what the compiler said of them, and
# prints a header that says which of them compile. Fails if the compiler did not get through.

BEGIN { print "/* Made by probe.awk. */" }

# A probe begins where a function does, at the start of a line.
NR == FNR {
	if (match($0, /^void probe_[a-z0-9_]+\(/)) {
		name[++n] = substr($0, 12, RLENGTH - 12)
		first[n] = FNR
	}
	next
}

/fatal error:/ { print >"/dev/stderr"; broken = 1 }

match($0, /probes\.c:[0-9]+:([0-9]+:)? error:/) {
	split($0, part, ":")
	for (i = n; i > 1 && first[i] > part[2]; i--)
		;
	absent[name[i]] = 1
}

END {
	if (broken || absent["everything"] || !absent["nothing"]) {
		print "shale: can't find out what this kernel offers" >"/dev/stderr"
		exit 1
	}
	for (i = 1; i <= n; i++) {
		if (!(name[i] in absent))
			print "#define SHALE_HAS_" toupper(name[i]) " 1"
	}
}
