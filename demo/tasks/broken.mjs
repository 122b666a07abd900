// Fails at every attempt: in the plan with --fail only. The others do not notice, and the report says so.
console.error("this task fails on purpose (--fail)");
process.exitCode = 3;
