// Jobs: a server that puts words into a queue, and a worker that turns them round.
package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"time"
)

func main() {
	queue := os.Getenv("QUEUE")
	if len(os.Args) > 1 && os.Args[1] == "work" {
		work(queue)
	}
	serve(queue)
}

func serve(queue string) {
	http.HandleFunc("/add/", func(response http.ResponseWriter, request *http.Request) {
		word := request.URL.Path[len("/add/"):]
		if _, err := ask(queue, "RPUSH", "jobs", word); err != nil {
			http.Error(response, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(response, "added %s\n", word)
	})
	http.HandleFunc("/", func(response http.ResponseWriter, request *http.Request) {
		last, err := ask(queue, "GET", "last")
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadGateway)
			return
		}
		fmt.Fprintf(response, "last done: %s\n", last)
	})
	log.Fatal(http.ListenAndServe(":8080", nil))
}

func work(queue string) {
	for {
		word, err := ask(queue, "BLPOP", "jobs", "5")
		if err != nil {
			log.Print(err)
			time.Sleep(time.Second)
			continue
		}
		if word == "" {
			continue
		}
		letters := []rune(word)
		for i, j := 0, len(letters)-1; i < j; i, j = i+1, j-1 {
			letters[i], letters[j] = letters[j], letters[i]
		}
		log.Printf("did %s", word)
		if _, err := ask(queue, "SET", "last", string(letters)); err != nil {
			log.Print(err)
		}
	}
}
