"""WebSockets without the limits of the demos, which would be all that is measured."""

from channels.generic.websocket import AsyncWebsocketConsumer
from fastpath.consumers import DirectDispatch


class Echo(DirectDispatch, AsyncWebsocketConsumer):
    """Gives each text back."""

    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data)


class Room(DirectDispatch, AsyncWebsocketConsumer):
    """Passes each text on to all in the room, as the chat does, and stores nothing."""

    async def connect(self):
        self.group = f"bench.{self.scope['url_route']['kwargs']['room']}"
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send(self.group, {"type": "room.message", "text": text_data})

    async def room_message(self, message):
        await self.send(message["text"])

    async def disconnect(self, code):
        await self.channel_layer.group_discard(self.group, self.channel_name)
