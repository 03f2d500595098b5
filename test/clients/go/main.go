// Command awslines is the AWS SDK for Go behind JSON lines: a call per line of standard input, an outcome per
// line of standard output.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"log"
	"os"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/ecrpublic"
	"github.com/aws/smithy-go"
)

type call struct {
	Service   string
	Operation string
	Members   json.RawMessage
}

type failure struct {
	Code                  string `json:"code"`
	Message               string `json:"message"`
	Typed                 bool   `json:"typed"`
	LastValidByteReceived *int64 `json:"lastValidByteReceived,omitempty"`
}

type outcome struct {
	Output  any      `json:"output,omitempty"`
	Failure *failure `json:"failure,omitempty"`
}

func main() {
	settings, err := config.LoadDefaultConfig(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	clients := map[string]any{"ecr": ecr.NewFromConfig(settings), "ecr-public": ecrpublic.NewFromConfig(settings)}
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewScanner(os.Stdin)
	// A part of 4 MiB in base64, and room.
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var asked call
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(answer(clients[asked.Service], asked)); err != nil {
			log.Fatal(err)
		}
	}
}

// answer calls the client's method of the operation's name. Its input has fields of the members' names, which
// JSON matches in any case.
func answer(client any, asked call) outcome {
	method := reflect.ValueOf(client).MethodByName(asked.Operation)
	input := reflect.New(method.Type().In(1).Elem())
	if err := json.Unmarshal(asked.Members, input.Interface()); err != nil {
		log.Fatal(err)
	}
	results := method.Call([]reflect.Value{reflect.ValueOf(context.Background()), input})
	if err, failed := results[1].Interface().(error); failed {
		return outcome{Failure: failureOf(err)}
	}
	return outcome{Output: membersOf(results[0].Interface())}
}

func failureOf(err error) *failure {
	var answered smithy.APIError
	if !errors.As(err, &answered) {
		return &failure{Code: "NoAnswer", Message: err.Error()}
	}
	_, generic := answered.(*smithy.GenericAPIError)
	found := failure{Code: answered.ErrorCode(), Message: answered.ErrorMessage(), Typed: !generic}
	if field := reflect.ValueOf(answered).Elem().FieldByName("LastValidByteReceived"); field.IsValid() {
		found.LastValidByteReceived, _ = field.Interface().(*int64)
	}
	return &found
}

// membersOf gives an output in the service's own member names: the SDK's begin with a capital letter.
func membersOf(output any) any {
	text, err := json.Marshal(output)
	if err != nil {
		log.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		log.Fatal(err)
	}
	return lowered(value)
}

func lowered(value any) any {
	switch value := value.(type) {
	case map[string]any:
		members := map[string]any{}
		for name, member := range value {
			if member != nil && name != "ResultMetadata" {
				members[strings.ToLower(name[:1])+name[1:]] = lowered(member)
			}
		}
		return members
	case []any:
		for index, member := range value {
			value[index] = lowered(member)
		}
	}
	return value
}
