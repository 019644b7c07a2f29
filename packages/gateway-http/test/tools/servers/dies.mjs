console.error(`cannot start: ${process.env.SERVER_TOKEN} is no good`);
process.exit(3);
