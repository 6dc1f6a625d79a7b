import Foundation
import Glibc
import Testing

/// Settings of php-fpm and of the nginx in front of it, in one directory.
struct FPMPool {
    let directory: String
    let script: String
    let port: UInt16

    var fpmConfiguration: String { directory + "/fpm.conf" }
    var nginxConfiguration: String { directory + "/nginx.conf" }
    var socket: String { directory + "/fpm.sock" }

    /// A line for each request.
    var accessLog: String { directory + "/access.log" }

    /// Debian's name of it ends in PHP's version.
    static func binary() throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/usr/sbin")
        let name = try #require(
            names.filter { $0.hasPrefix("php-fpm") }.max(),
            "php-fpm is not installed: scripts/install-missing test")
        return "/usr/sbin/" + name
    }

    func writeConfiguration() throws {
        let asRoot = geteuid() == 0
        let fpm = """
            [global]
            error_log = \(directory)/fpm-error.log
            [www]
            \(asRoot ? "user = root\ngroup = root" : "")
            listen = \(socket)
            pm = static
            pm.max_children = \(PHPSite.childCount)
            clear_env = no
            catch_workers_output = yes

            """
        let nginx = """
            \(asRoot ? "user root;" : "")
            worker_processes 1;
            daemon off;
            pid \(directory)/nginx.pid;
            events { worker_connections 256; }
            http {
              access_log \(accessLog);
              client_body_temp_path \(directory)/nginx-body;
              fastcgi_temp_path \(directory)/nginx-fastcgi;
              proxy_temp_path \(directory)/nginx-proxy;
              uwsgi_temp_path \(directory)/nginx-uwsgi;
              scgi_temp_path \(directory)/nginx-scgi;
              server {
                listen 127.0.0.1:\(port);
                client_max_body_size 8m;
                location / {
                  fastcgi_param QUERY_STRING $query_string;
                  fastcgi_param REQUEST_METHOD $request_method;
                  fastcgi_param CONTENT_TYPE $content_type;
                  fastcgi_param CONTENT_LENGTH $content_length;
                  fastcgi_param REQUEST_URI $request_uri;
                  fastcgi_param SCRIPT_FILENAME \(script);
                  fastcgi_param SCRIPT_NAME /index.php;
                  fastcgi_param SERVER_PROTOCOL $server_protocol;
                  fastcgi_param REMOTE_ADDR $remote_addr;
                  fastcgi_pass unix:\(socket);
                }
              }
            }

            """
        for (path, text) in [(fpmConfiguration, fpm), (nginxConfiguration, nginx)] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
