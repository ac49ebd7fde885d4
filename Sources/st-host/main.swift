// The command; see Host/CommandLine/Program.swift.

import Glibc
import Host

exit(Program.main(CommandLine.arguments).rawValue)
