// The floor under `nexus token`: a static C program that connects, asks, prints. usage: SOCKET
// TARGET
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
  const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr*)&address, sizeof address) != 0) return 8;
  char buffer[16384];
  const int length = snprintf(buffer, sizeof buffer,
                              "GET %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", argv[2]);
  if (write(fd, buffer, length) != length) return 1;
  size_t size = 0;
  for (ssize_t got; (got = read(fd, buffer + size, sizeof buffer - 1 - size)) > 0;) size += got;
  buffer[size] = '\0';
  const char* body = strstr(buffer, "\r\n\r\n");
  if (!body) return 1;
  return write(1, body + 4, strlen(body + 4)) < 0;
}
