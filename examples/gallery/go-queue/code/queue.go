package main

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// ask sends one command to Redis and returns its answer: a line, a text, or the last text of a list.
func ask(address string, words ...string) (string, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	defer connection.Close()
	fmt.Fprintf(connection, "*%d\r\n", len(words))
	for _, word := range words {
		fmt.Fprintf(connection, "$%d\r\n%s\r\n", len(word), word)
	}
	return answer(bufio.NewReader(connection))
}

func answer(reader *bufio.Reader) (string, error) {
	line, err := reader.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	switch line[0] {
	case '-':
		return "", fmt.Errorf("%s", line[1:])
	case '$':
		size, _ := strconv.Atoi(line[1:])
		if size < 0 {
			return "", nil
		}
		text, err := reader.ReadString('\n')
		return strings.TrimRight(text, "\r\n"), err
	case '*':
		count, _ := strconv.Atoi(line[1:])
		last := ""
		for ; count > 0; count-- {
			if last, err = answer(reader); err != nil {
				return "", err
			}
		}
		return last, nil
	}
	return line[1:], nil
}
