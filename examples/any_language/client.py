"""A client without Dragoman: it watches events and answers some, with RabbitMQ and JSON alone.

    python client.py amqp://guest:guest@localhost:5672/%2F dragoman

Whoever says "marco" (to nobody in particular) hears "polo". The second argument is the bot's name.
"""

import json
import sys

import pika


def main(url: str, bot: str = "dragoman") -> None:
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()  # a publish that no queue takes is an error, not a loss
    channel.exchange_declare(f"{bot}.events", "topic", durable=True)
    channel.exchange_declare(f"{bot}.actions", "topic", durable=True)
    # A queue of our own, which goes when we go: what happens meanwhile is not seen. Give it a name, durable=True
    # and exclusive=False to miss nothing; then it is yours to delete.
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, f"{bot}.events", "*.message.*")  # <account>.<kind>.<direct, group or channel>
    print(f"watching {bot}.events", flush=True)
    for method, _, body in channel.consume(queue):
        event = json.loads(body)
        print(json.dumps(event), flush=True)
        if "marco" in event["content"]["plain"].lower() and not event.get("addressed"):
            action = {
                "v": 1,
                "kind": "send",
                # What this is, for ever: one key is performed once, so the same event twice is one answer.
                "key": f"{event['key']}|marco.answer|0",
                "address": event["address"],
                "content": {"text": "**polo**"},  # CommonMark
            }
            key = f"{event['address']['account']}.send"
            durable = pika.BasicProperties(content_type="application/json", delivery_mode=2)
            channel.basic_publish(f"{bot}.actions", key, json.dumps(action), durable, mandatory=True)
        channel.basic_ack(method.delivery_tag)


if __name__ == "__main__":
    main(*sys.argv[1:3])
