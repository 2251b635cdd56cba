enum ConvcTrainingPlaceholder {}
