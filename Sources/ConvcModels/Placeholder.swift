enum ConvcModelsPlaceholder {}
