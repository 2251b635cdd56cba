import ConvcIR
import ConvcReference

extension BatchNorm2D: ReferenceLayer {
  public func forward(_ call: LayerCall) -> LayerResult {
    let x = call.input
    let maps = x.maps
    let statistics = ChannelStatistics(self, call)
    let y = DoubleTensor(shape: x.shape)
    let (weight, bias) = (call.parameters[0].address, call.parameters[1].address)
    for c in 0..<maps.c {
      let scale = weight[c] * statistics.inverseDeviation[c]
      let shift = bias[c] - statistics.mean[c] * scale
      for n in 0..<maps.n {
        let (from, to) = (x.map(n, c), y.map(n, c))
        to.address.update(repeating: shift, count: maps.pixels)
        addScaled(scale, from, to: to)
      }
    }
    return LayerResult(output: y, statistics: updated(statistics, call))
  }

  /// Running statistics after a step: `running + momentum · (batch − running)`, the batch's variance unbiased.
  private func updated(_ statistics: ChannelStatistics, _ call: LayerCall) -> [DoubleTensor] {
    let (oldMean, oldVariance) = (call.parameters[2].values, call.parameters[3].values)
    guard statistics.isOfBatch else { return [call.parameters[2], call.parameters[3]] }
    let share = Double(momentum)
    let count = statistics.count
    let unbias = count / max(1, count - 1)
    let mean = zip(oldMean, statistics.mean).map { $0 + share * ($1 - $0) }
    let variance = zip(oldVariance, statistics.variance).map { $0 + share * ($1 * unbias - $0) }
    let shape = call.parameters[2].shape
    return [DoubleTensor(shape: shape, mean), DoubleTensor(shape: shape, variance)]
  }

  /// With `x̂` the normalised input and sums over a channel's `M` values:
  /// `d_x = weight / deviation · (d_y − (Σ d_y + x̂ · Σ d_y x̂) / M)`; without the sums where statistics are not the batch's.
  public func backward(_ call: LayerCall, outputGradient: DoubleTensor) -> LayerGradients {
    let x = call.input
    let maps = x.maps
    let statistics = ChannelStatistics(self, call)
    let inputGradient = DoubleTensor(shape: x.shape)
    let weightGradient = DoubleTensor(shape: [maps.c])
    let biasGradient = DoubleTensor(shape: [maps.c])
    for c in 0..<maps.c {
      let (mean, inverse) = (statistics.mean[c], statistics.inverseDeviation[c])
      var (gradientSum, productSum) = (0.0, 0.0)
      for n in 0..<maps.n {
        let gradient = outputGradient.map(n, c)
        let total = sum(gradient)
        gradientSum += total
        productSum += inverse * (dot(gradient, x.map(n, c)) - mean * total)
      }
      weightGradient.address[c] = productSum
      biasGradient.address[c] = gradientSum
      let scale = call.parameters[0].address[c] * inverse
      // d_x = scale · d_y + slope · x + shift
      let slope = statistics.isOfBatch ? -scale * productSum * inverse / statistics.count : 0
      let shift =
        statistics.isOfBatch ? -scale * gradientSum / statistics.count - slope * mean : 0
      for n in 0..<maps.n {
        let target = inputGradient.map(n, c)
        target.address.update(repeating: shift, count: maps.pixels)
        addScaled(scale, outputGradient.map(n, c), to: target)
        addScaled(slope, x.map(n, c), to: target)
      }
    }
    return LayerGradients(inputs: [inputGradient], parameters: [weightGradient, biasGradient])
  }
}

/// The mean and variance that a batch norm divides by: the batch's own, or the running ones.
private struct ChannelStatistics {
  let isOfBatch: Bool
  /// Values of a channel in the batch.
  let count: Double
  let mean: [Double]
  /// Over the count: biased.
  let variance: [Double]
  let inverseDeviation: [Double]

  init(_ layer: BatchNorm2D, _ call: LayerCall) {
    isOfBatch = call.options.mode == .training && !call.node.isFrozen
    let maps = call.input.maps
    count = Double(maps.n * maps.pixels)
    if isOfBatch {
      var (means, variances) = ([Double](), [Double]())
      for c in 0..<maps.c {
        let total = (0..<maps.n).reduce(0.0) { $0 + sum(call.input.map($1, c)) }
        let mean = total / count
        let squares = (0..<maps.n).reduce(0.0) {
          $0 + squaredDistances(call.input.map($1, c), mean)
        }
        means.append(mean)
        variances.append(squares / count)
      }
      mean = means
      variance = variances
    } else {
      mean = call.parameters[2].values
      variance = call.parameters[3].values
    }
    let epsilon = Double(layer.epsilon)
    inverseDeviation = variance.map { 1 / ($0 + epsilon).squareRoot() }
  }
}

/// The sum of the squared distances of a row's cells from a value.
private func squaredDistances(_ row: Patch, _ value: Double) -> Double {
  var sum = 0.0
  var i = 0
  while i < row.columns {
    let distance = row.address[i] - value
    sum += distance * distance
    i &+= 1
  }
  return sum
}
