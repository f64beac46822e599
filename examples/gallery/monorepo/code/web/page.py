import http.server

import store


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"ticks: {store.ask('INCRBY', 'ticks', '0')}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_HEAD = do_GET


http.server.ThreadingHTTPServer(("", 8000), Page).serve_forever()
