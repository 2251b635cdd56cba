"""ONNX Runtime and OpenVINO: inference of a file that write_onnx.py wrote."""

import numpy


def prepare(job):
    images, _ = job.network.data(job.batch)
    return (onnxruntime if job.variant == "onnxruntime" else openvino)(job, images)


def onnxruntime(job, images):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(job.file, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": images})[0], onnxruntime.__version__


def openvino(job, images):
    import openvino

    # Left alone it computes in bfloat16 where the processor can: all rivals compute in float32.
    compiled = openvino.Core().compile_model(job.file, "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": 1,
        "INFERENCE_NUM_THREADS": job.threads,
    })
    request, tensor = compiled.create_infer_request(), openvino.Tensor(images)
    step = lambda: request.infer({0: tensor}, share_inputs=True, share_outputs=True)[0]
    return step, openvino.__version__.split("-")[0]


def check(result):
    return numpy.abs(result).mean()
