import Convc
let arguments = CommandLine.arguments
let preset = Preset.named(arguments[1])!
let target = Target.named(arguments[2])!
var options = BuildOptions(batch: Int(arguments[3])!, trains: arguments[4] == "train", target: target)
if arguments.count > 6 { options.families = [arguments[6]] }
let compilation = try preset.make(preset.input, 10).compile(options)
for program in compilation.stages.programs { print(program.fused); print(program.training); print(program.kernels); print(program.memory); print(program.schedule) }
print(try compilation.emit(to: arguments[5]))
