import ConvcIR
import ConvcLayers

extension Dense: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let (batch, features) = (x.shape[0], x.shape[1])
    let y = DoubleTensor(shape: call.outputShape)
    for n in 0..<batch {
      for k in 0..<outputs {
        let product = dot(row(x, n, features), row(call.parameters[0], k, features))
        y.address[n * outputs + k] = product + (hasBias ? call.parameters[1].address[k] : 0)
      }
    }
    return LayerResult(output: y)
  }

  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let (batch, features) = (x.shape[0], x.shape[1])
    let weight = call.parameters[0]
    let inputGradient = DoubleTensor(shape: x.shape)
    let weightGradient = DoubleTensor(shape: weight.shape)
    let biasGradient = DoubleTensor(shape: [outputs])
    for n in 0..<batch {
      for k in 0..<outputs {
        let gradient = outputGradient.address[n * outputs + k]
        addScaled(gradient, row(weight, k, features), to: row(inputGradient, n, features))
        addScaled(gradient, row(x, n, features), to: row(weightGradient, k, features))
        biasGradient.address[k] += gradient
      }
    }
    return LayerGradients(
      inputs: [inputGradient],
      parameters: hasBias ? [weightGradient, biasGradient] : [weightGradient])
  }

  private func row(_ matrix: DoubleTensor, _ index: Int, _ length: Int) -> Patch {
    Patch(matrix.address + index * length, rows: 1, columns: length)
  }
}
