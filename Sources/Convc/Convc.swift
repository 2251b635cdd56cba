@_exported import ConvcData
@_exported import ConvcIR
@_exported import ConvcLayers
@_exported import ConvcModelFile
@_exported import ConvcModels
@_exported import ConvcPasses
@_exported import ConvcRuntime
@_exported import ConvcTraining
