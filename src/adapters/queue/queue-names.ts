/** The names of the queues: each has one kind of work, which one handler does. */
export const QUEUE_NAMES = ['tick', 'refresh', 'letters', 'deliveries'] as const
export type QueueName = (typeof QUEUE_NAMES)[number]
