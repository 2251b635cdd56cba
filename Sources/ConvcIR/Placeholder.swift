enum ConvcIRPlaceholder {}
