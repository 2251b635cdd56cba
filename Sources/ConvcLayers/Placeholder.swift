enum ConvcLayersPlaceholder {}
