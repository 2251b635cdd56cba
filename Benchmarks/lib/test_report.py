"""Tests of what needs no framework: python3 -m unittest discover Benchmarks/lib."""

import json
import os
import tempfile
import unittest
from xml.etree import ElementTree

import machine
import networks
import report
import rows

RUN = {"date": "2026-01-02", "processor": "a processor", "threads": 2, "rounds": 2, "seconds": 3}


def result(rival, ms, number=1, **more):
    known = {
        "model": "lenet5", "mode": "train", "batch": 64, "rival": rival, "round": number, "ms_median": ms,
        "ms_min": ms, "peak_rss_mb": 100 * ms, "first_step_s": 10 * ms / number, "gflops": 100.0,
    }
    return known | more


RESULTS = [
    result("convc", 1, percent_of_peak=50), result("convc", 3, 2, percent_of_peak=50),
    result("torch", 4, version="2", tcmalloc=True, first_value=1.0), result("torch", 4, 2),
    result("jax", 9, version="0.1", first_value=1.5), result("jax", 9, 2, other_cpus=0.5),
    {"model": "lenet5", "mode": "train", "batch": 64, "rival": "tensorflow", "round": 1, "error": "not <installed>"},
]


class Report(unittest.TestCase):
    def test_times_are_medians_of_rounds_beside_the_fastest_rival(self):
        text = report.markdown(RESULTS, RUN)
        self.assertIn("| network | batch | convc | times as fast | of peak | PyTorch | JAX | TensorFlow |", text)
        self.assertIn("| lenet5 | 64 | 2.000 | 2.00 | 50 % | **4.000** | 9.000 | failed |", text)
        self.assertIn("| lenet5 | 64 | 200 | 50 % | **400** | 900 | failed |", text)
        self.assertIn("| lenet5 | 64 | 10.00 | 15.00 | **40.00** | 90.00 | failed |", text)
        self.assertIn("200 GFLOP/s (200 to 200)", text)
        self.assertIn("PyTorch 2 with tcmalloc", text)

    def test_what_a_reader_must_know_is_noted(self):
        text = report.markdown(RESULTS, RUN)
        self.assertIn("- train lenet5 b64, TensorFlow: not &lt;installed&gt;", text)
        self.assertIn("- train lenet5 b64, JAX: other work kept 0.50 processors busy", text)
        self.assertIn("- train lenet5 b64: first values differ: PyTorch 1, JAX 1.5", text)
        short = report.markdown(RESULTS[:-1], RUN | {"rounds": 3})
        self.assertIn("JAX: 2 of 3 rounds, left out as too slow", short)

    def test_pictures_are_svg(self):
        found = report.pictures(RESULTS, RUN)
        self.assertEqual(list(found), ["train.svg"])
        root = ElementTree.fromstring(found["train.svg"])
        texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
        self.assertIn("lenet5, batch 64: 2.00 times as fast", texts)
        self.assertIn("9.000 ms", texts)
        self.assertEqual(texts.count("failed"), 1)

    def test_files_are_written_beside_the_results(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "results.jsonl"), "w") as file:
                file.writelines(json.dumps(line) + "\n" for line in RESULTS)
            with open(os.path.join(folder, "run.json"), "w") as file:
                json.dump(RUN, file)
            paths = report.write(folder)
            self.assertEqual([os.path.basename(path) for path in paths], ["table.md", "train.svg"])
            self.assertTrue(all(os.path.getsize(path) > 0 for path in paths))


class Choices(unittest.TestCase):
    def test_a_word_stands_for_all_that_it_names(self):
        names = [rival.name for rival in rows.chosen(rows.RIVALS, "torch,jax", rows.rival_words)]
        self.assertEqual(names, ["torch", "torch-channels-last", "torch-compile", "jax"])
        self.assertEqual(len(rows.chosen(rows.ROWS, "lenet5", rows.row_words)), 3)
        self.assertEqual(len(rows.chosen(rows.ROWS, "lenet5-b32", rows.row_words)), 1)
        self.assertEqual(len(rows.chosen(rows.ROWS, "", rows.row_words)), len(rows.ROWS))
        with self.assertRaisesRegex(ValueError, "there is no 'lenet'; there are glioma"):
            rows.chosen(rows.ROWS, "lenet", rows.row_words)


class Networks(unittest.TestCase):
    def test_sizes_and_work_are_those_of_the_published_networks(self):
        known = {
            "lenet5": (61_706, 416_520), "vgg16": (138_357_544, 15_470_264_320),
            "resnet50": (25_557_032, 4_089_184_256), "mobilenetv2": (3_504_872, 300_774_272),
        }
        for name, (trainable, multiply_adds) in known.items():
            network = networks.network(name)
            self.assertEqual((network.trainable, network.multiply_adds), (trainable, multiply_adds), name)
        for row in rows.ROWS:
            self.assertIn(row.network, networks.NAMES)


class Processes(unittest.TestCase):
    def test_a_process_gives_its_line_or_why_not(self):
        with tempfile.TemporaryDirectory() as folder:
            log, cpus = os.path.join(folder, "log"), machine.processors(1)

            def run(line, limit=20):
                return machine.run(["/bin/sh", "-c", line], dict(os.environ), cpus, limit, log)

            self.assertEqual(run("echo noise; echo '{\"ms_median\": 1}'")["ms_median"], 1)
            self.assertEqual(run("echo why >&2; exit 3"), {"error": "why"})
            self.assertEqual(run("sleep 20", 0.2), {"error": "took over 0.2 s"})

    def test_a_paced_process_measures_when_it_is_asked_to(self):
        with tempfile.TemporaryDirectory() as folder:
            log, cpus = os.path.join(folder, "log"), machine.processors(1)
            answers = "for k in 1 2; do read x; echo \"{\\\"ms_median\\\": $k}\"; done"
            line = f"echo '{{\"ready\": true}}'; {answers}; echo why >&2"
            program = machine.Paced(["/bin/sh", "-c", line], dict(os.environ), cpus, log)
            self.assertTrue(program.ready(20)["ready"])
            self.assertEqual([program.measure(20)["ms_median"] for _ in range(2)], [1, 2])
            self.assertEqual(program.measure(20), {"error": "why"})
            program.end()


if __name__ == "__main__":
    unittest.main()
