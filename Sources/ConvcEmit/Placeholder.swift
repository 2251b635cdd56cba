enum ConvcEmitPlaceholder {}
