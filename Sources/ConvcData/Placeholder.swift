enum ConvcDataPlaceholder {}
