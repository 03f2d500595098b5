// Loaded before a program's own code (`--import`): its process ends when the one that started it has ended, even killed.

process.once('disconnect', () => process.exit(1));
// Nothing is sent through the channel: it must not keep the process.
process.channel?.unref();
