from django.contrib import admin

from chat.models import Message


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin):
    list_display = ["created", "room", "author", "text"]
    list_filter = ["created"]
    search_fields = ["room", "author", "text"]
    raw_id_fields = ["user"]
