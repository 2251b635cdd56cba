@_exported import ConvcIR
