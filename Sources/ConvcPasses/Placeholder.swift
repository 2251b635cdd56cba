enum ConvcPassesPlaceholder {}
