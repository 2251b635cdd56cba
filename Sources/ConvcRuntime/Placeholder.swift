enum ConvcRuntimePlaceholder {}
