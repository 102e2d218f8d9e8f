// door leads from the machine's loopback into a network namespace that nothing else leads into.
//
//	door open FILE COMMAND...  listens on a free port of 127.0.0.1, writes the port to FILE, and becomes COMMAND
//	door serve ADDRESS         somewhere below COMMAND: carries every connection to ADDRESS and back
//
// A listening socket stays in the network namespace that it was made in, whatever becomes of the process. So COMMAND may
// enter a namespace of its own, and the door leads there: what listens is on one side, what connects on the other. COMMAND
// has the socket as file descriptor 3, and the door is shut when the last process that has it ends.
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/exec"
	"syscall"
)

// The file descriptor that the socket is handed on as.
const handedOn = 3

func main() {
	log.SetFlags(0)
	log.SetPrefix("door: ")
	switch arguments := os.Args[1:]; {
	case len(arguments) >= 3 && arguments[0] == "open":
		log.Fatal(open(arguments[1], arguments[2:]))
	case len(arguments) == 2 && arguments[0] == "serve":
		log.Fatal(serve(arguments[1]))
	default:
		log.Fatal("usage: door open FILE COMMAND... | door serve ADDRESS")
	}
}

// open returns only where it fails.
func open(file string, command []string) error {
	program, err := exec.LookPath(command[0])
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	socket, err := listener.(*net.TCPListener).File()
	if err != nil {
		return err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := os.WriteFile(file, fmt.Appendln(nil, port), 0o644); err != nil {
		return err
	}
	// Last, as the runtime may have been using that number. Only descriptors made so outlive the change of program.
	if err := handOn(int(socket.Fd())); err != nil {
		return err
	}
	return syscall.Exec(program, command, os.Environ())
}

func handOn(descriptor int) error {
	if descriptor != handedOn {
		return syscall.Dup3(descriptor, handedOn, 0)
	}
	_, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(descriptor), syscall.F_SETFD, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

func serve(address string) error {
	listener, err := net.FileListener(os.NewFile(handedOn, "socket"))
	if err != nil {
		return fmt.Errorf("file descriptor %d: %w", handedOn, err)
	}
	for {
		outside, err := listener.Accept()
		if err != nil {
			return err
		}
		go carry(outside.(*net.TCPConn), address)
	}
}

func carry(outside *net.TCPConn, address string) {
	defer outside.Close()
	connection, err := net.Dial("tcp", address)
	if err != nil {
		log.Print(err)
		return
	}
	inside := connection.(*net.TCPConn)
	defer inside.Close()
	go func() {
		_, _ = io.Copy(inside, outside)
		_ = inside.CloseWrite()
	}()
	_, _ = io.Copy(outside, inside)
}
