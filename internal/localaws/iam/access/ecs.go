package access

import "strings"

// last is what a name or an ARN ends in.
func last(v string) string { return v[strings.LastIndex(v, "/")+1:] }

// inCluster is the name of the request's cluster.
func (k *call) inCluster() string {
	if c := k.first("Cluster"); c != "" {
		return last(c)
	}
	return "default"
}

func (k *call) cluster(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("ecs", "cluster/"+v)
}

func (k *call) ecsService(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("ecs", "service/"+k.inCluster()+"/"+v)
}

func (k *call) taskSet(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("ecs", "task-set/"+k.inCluster()+"/"+last(k.first("Service"))+"/"+v)
}

func (k *call) task(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	return k.arn("ecs", "task/"+k.inCluster()+"/"+v)
}

// taskDefinition spells a task definition; without a revision it is any.
func (k *call) taskDefinition(v string) string {
	if strings.HasPrefix(v, "arn:") {
		return v
	}
	if !strings.Contains(v, ":") {
		v += ":*"
	}
	return k.arn("ecs", "task-definition/"+v)
}

// group spells an Auto Scaling group, of whose ARN the name is only the end.
func (k *call) group(v string) string {
	return k.arn("autoscaling", "autoScalingGroup:*:autoScalingGroupName/"+v)
}

// ec2 spells a resource of EC2 by its id.
func (k *call) ec2(v string) string {
	kinds := map[string]string{
		"i": "instance", "vol": "volume", "snap": "snapshot", "subnet": "subnet", "vpc": "vpc", "sg": "security-group", "ami": "image", "lt": "launch-template",
	}
	short, _, _ := strings.Cut(v, "-")
	kind, ok := kinds[short]
	if !ok {
		kind = "*"
	}
	return k.arn("ec2", kind+"/"+v)
}
