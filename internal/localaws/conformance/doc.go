// Package conformance drives the local AWS through two clients that share no
// code, the Go SDK and boto3, with the same scripts (testdata/*.yaml), and
// compares what both understood of every answer, error codes and texts
// included. Each client has a local AWS of its own with the same seed, so that
// even generated ids must be the same.
//
// A script is a list of steps for one service:
//
//	service: sqs
//	steps:
//	  - CreateQueue: {QueueName: jobs}
//	    save: {url: QueueUrl}                 # a path: Messages[0].ReceiptHandle; it leads into JSON texts, too
//	  - SendMessage: {QueueUrl: $url, MessageBody: "to ${url}"}
//	    out: {MD5OfMessageBody: "…"}          # whole values of these members; null: it is not there
//	  - GetQueueUrl: {QueueName: nope}
//	    error: AWS.SimpleQueueService.NonExistentQueue
//	    message: The specified queue does not exist.
//	  - DeleteMessage: {…}
//	    times: 3                              # the number of the call is ${n}
//	  - iam.CreateRole: {…}                   # another service's operation
//	  - advance: 5m                           # lets time pass
//
// Names of operations and members are those of AWS's service models. Two values
// stand for bytes: {$zip: {name: text}} is a zip file, {$function: folder} a zip
// file with the Go program in that folder of this package's testdata.
//
// Every operation that is here is driven, and testdata/errors.txt lists the
// errors that AWS documents for some of them: each comes in a step, or its line
// says why it cannot come here.
package conformance
