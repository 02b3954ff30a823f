"""The peer: ONNX Runtime behind the smallest server that Python has, answering as rondo serve does.

    python onnx_server.py news.onnx     prints its address; POST /v1/predict {"text": "..."}
"""
import http.server
import json
import pathlib
import sys

import numpy
import onnxruntime


class Model:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # requests run side by side
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        words = json.loads(pathlib.Path(path + ".json").read_text())
        self.labels = words["labels"]
        self.ids = {word: i for i, word in enumerate(words["vocabulary"])}

    def predict(self, text):
        ids = numpy.array([[self.ids.get(word, 0)] for word in text.split()], numpy.int64)
        row = self.session.run(None, {"ids": ids})[0][0]
        best = int(row.argmax())
        return {"label": self.labels[best], "probability": float(row[best])}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # the answer in one packet

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = json.dumps({"model": "model", "results": [{"predictions": [self.server.model.predict(body["text"])]}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    server = Server(("127.0.0.1", 0), Handler)
    server.model = Model(sys.argv[1])
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
